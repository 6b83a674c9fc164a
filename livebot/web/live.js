// A live session: audio out, events in, over connections that may break.
//
// Events: "state" (detail: one of STATES, and what there is to say about it), "event" (detail: one
// of the service's). A connection that breaks is opened again with the session's name and the
// number of the last event; audio goes on where the service says that it has it up to.

import { Refusal, socketAddress, words } from "./api.js";
import { Backoff } from "./backoff.js";

export const STATES = ["connecting", "live", "reconnecting", "stopping", "ended"];

const FULL_BYTES = 512 * 1024;
const PUMP_MS = 100;
const QUIET_MS = 15_000;
const STUCK_MS = 45_000;
const READY_WITHIN_MS = 15_000;
const LAST_WORDS_MS = 30_000;

/** Codes with which the service closes for good: trying again would end alike. */
const isFinal = (code) => code >= 4400 && code < 4500 && ![4404, 4408, 4410, 4429].includes(code);
const isGone = (code) => code === 4404 || code === 4410;

export class LiveSession extends EventTarget {
  #audio;
  #options;
  #socket = null;
  #ready = false;
  #asked = 0;
  #lastSent = 0;
  #moved = 0;
  #buffered = 0;
  #told = 0;
  #backoff = new Backoff();
  #leaving = new AbortController();
  #pump = 0;
  #error = "";
  state = "connecting";
  id = "";
  seq = 0;

  constructor(audio, options) {
    super();
    this.#audio = audio;
    this.#options = options;
    this.#pump = setInterval(() => this.#send(), PUMP_MS);
    addEventListener("online", this.#online);
    addEventListener("pagehide", this.#leave);
    this.#connect();
  }

  /** Seconds of sound that the service has not been sent yet. */
  get behind() {
    return this.#audio.waiting;
  }

  /** No more audio comes: get the last words, then end. */
  stop() {
    if (["stopping", "ended"].includes(this.state)) return;
    if (!this.id && this.state === "connecting" && !this.#socket) {
      this.#end("");
      return;
    }
    this.#enter("stopping");
    setTimeout(() => this.#end("The last words did not come in time."), LAST_WORDS_MS);
    this.#send();
  }

  #online = () => {
    // A connection from before the network changed may be dead without knowing it.
    if (this.#socket && !this.#ready) this.#lost();
  };

  /** The page goes, and will not come back: the service need not wait for it. */
  #leave = () => this.#socket?.close(1000);

  #enter(state, text = "") {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, text } }));
  }

  async #connect() {
    const resume = this.id ? { session: this.id, after: this.seq } : {};
    let url;
    try {
      url = await socketAddress("ws/transcribe", { ...this.#audio.query, ...this.#options, ...resume });
    } catch (error) {
      if (error instanceof Refusal && error.status < 500 && error.status !== 429) this.#end(words(error));
      else this.#again(words(error));
      return;
    }
    if (this.state === "ended") return;
    const socket = (this.#socket = new WebSocket(url));
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => socket === this.#socket && this.#receive(JSON.parse(data)));
    socket.addEventListener("close", ({ code }) => socket === this.#socket && this.#lost(code));
    setTimeout(() => socket === this.#socket && !this.#ready && this.#lost(), READY_WITHIN_MS);
  }

  #receive(message) {
    switch (message.type) {
      case "ready":
        this.#begin(message);
        break;
      case "error":
        this.#error = message.message;
        break;
      case "closed":
        // Otherwise the service comes back in a moment, or a session lasts only so long.
        if (message.reason === "time" && this.state !== "stopping") this.id = "";
        else if (message.reason !== "restart") this.#end("");
        break;
      default:
        this.#take(message);
    }
  }

  #begin({ session, seq, position, epoch }) {
    const isNew = session !== this.id;
    if (isNew) {
      this.#audio.renew(this.#told);
      this.seq = this.#told = 0;
      this.id = session;
    } else {
      const begins = this.#audio.resume(position);
      if (begins > position) this.#say({ type: "position", seconds: begins });
    }
    this.#ready = true;
    this.#asked = 0;
    this.#moved = performance.now();
    this.#backoff.reset();
    this.dispatchEvent(new CustomEvent("begin", { detail: { session, epoch, isNew, seq } }));
    if (this.state !== "stopping") this.#enter("live");
    this.#send();
  }

  #take(event) {
    if (event.type === "final") this.#told = Math.max(this.#told, event.end ?? 0);
    // What comes twice after a resume is known already.
    if (event.type !== "snapshot" && event.seq <= this.seq) return;
    this.seq = event.seq ?? this.seq;
    this.dispatchEvent(new CustomEvent("event", { detail: event }));
  }

  push(piece) {
    if (this.state === "ended") return;
    this.#audio.push(piece);
    this.#send();
  }

  /** Send what there is, as far as the network takes it. */
  #send() {
    if (!this.#ready || this.#socket.readyState !== WebSocket.OPEN) return;
    const now = performance.now();
    while (this.#socket.bufferedAmount < FULL_BYTES) {
      const piece = this.#audio.take();
      if (!piece) break;
      if (piece.data === undefined) this.#say({ type: "position", seconds: piece.skip });
      else this.#socket.send(piece.data);
      this.#lastSent = now;
    }
    if (now - this.#lastSent > QUIET_MS) this.#say({ type: "keepalive" });
    if (this.state === "stopping" && !this.#asked && this.#audio.waiting === 0) {
      this.#asked = now;
      this.#say({ type: "close" });
    }
    this.#watch(now);
  }

  #say(message) {
    this.#socket.send(JSON.stringify(message));
    this.#lastSent = performance.now();
  }

  /** A network that is gone takes minutes to say so: what is stuck for longer than a service
   * lets clients wait is given up. */
  #watch(now) {
    const { bufferedAmount } = this.#socket;
    if (bufferedAmount === 0 || bufferedAmount < this.#buffered) this.#moved = now;
    this.#buffered = bufferedAmount;
    if (now - this.#moved > STUCK_MS) this.#lost();
  }

  #lost(code = 0) {
    const socket = this.#socket;
    this.#socket = null;
    this.#ready = false;
    this.#buffered = this.#asked = 0;
    socket?.close();
    if (this.state === "ended") return;
    const why = this.#error;
    this.#error = "";
    if (isFinal(code)) {
      this.#end(why || "The service has closed the session.");
      return;
    }
    if (isGone(code)) this.id = "";
    this.#again(why);
  }

  async #again(why) {
    if (this.state !== "stopping") this.#enter("reconnecting", why);
    await this.#backoff.wait(this.#leaving.signal);
    if (this.state !== "ended") await this.#connect();
  }

  #end(text) {
    if (this.state === "ended") return;
    this.#leaving.abort();
    clearInterval(this.#pump);
    removeEventListener("online", this.#online);
    removeEventListener("pagehide", this.#leave);
    const socket = this.#socket;
    this.#socket = null;
    this.#enter("ended", text);
    socket?.close();
  }
}
