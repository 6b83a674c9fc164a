// One's own microphone: captions of what one says.

import { words } from "./api.js";
import { offerLink } from "./dialogs.js";
import { $ } from "./dom.js";
import { length } from "./format.js";
import { LiveSession } from "./live.js";
import { Log, hint } from "./log.js";
import { openMicrophone } from "./microphone.js";
import { Recorded, Samples } from "./outgoing.js";

const FLOOR_DB = -60;
const FALLS_BY = 0.85;
const BEHIND_S = 2;

const TEXTS = {
  connecting: "Connecting…",
  live: "Listening",
  reconnecting: "Reconnecting…",
  stopping: "Getting the last words…",
  ended: "Ready",
};

export class MicrophoneView {
  #log = new Log($("microphone-log"), {
    label: "Captions of your microphone",
    empty: hint("Speak, and read along", "Press Start. What you say appears here, a moment after you have said it."),
  });
  #microphone = null;
  #session = null;
  #level = 0;

  constructor() {
    $("start").addEventListener("click", () => this.#toggle());
    $("microphone-share").addEventListener("click", () => this.#share());
  }

  async #toggle() {
    if (this.#session) {
      await this.#stop();
      return;
    }
    $("start").disabled = true;
    this.#say("connecting");
    try {
      await this.#start();
    } catch (error) {
      this.#say("ended", words(error));
      await this.#release();
    } finally {
      $("start").disabled = false;
      $("start").focus();
    }
  }

  async #start() {
    const early = [];
    let onaudio = (piece) => early.push(piece);
    this.#microphone = await openMicrophone({
      onaudio: (piece) => onaudio(piece),
      onlevel: (peak) => this.#meter(peak),
      onend: () => this.#stop(),
    });
    const { rate } = this.#microphone;
    const audio = rate ? new Samples(rate) : new Recorded(this.#microphone);
    const session = (this.#session = new LiveSession(audio, {
      language: $("microphone-language").value,
      speaker: $("speaker").value.trim(),
      store: $("store").checked || null,
    }));
    session.addEventListener("state", ({ detail }) => this.#changed(session, detail));
    session.addEventListener("begin", ({ detail }) => this.#began(detail));
    session.addEventListener("event", ({ detail }) => this.#heard(detail));
    onaudio = (piece) => session.push(piece);
    for (const piece of early.splice(0)) session.push(piece);
    $("start").textContent = "Stop";
    $("microphone-options").hidden = true;
    this.#log.follow();
  }

  async #stop() {
    const session = this.#session;
    await this.#release();
    session?.stop();
  }

  async #release() {
    const microphone = this.#microphone;
    this.#microphone = null;
    await microphone?.stop();
    this.#meter(0);
  }

  #began({ epoch, isNew }) {
    if (!isNew) return;
    const again = this.#log.entries.length > 0;
    this.#log.begin(epoch);
    if (again && this.#session?.id) this.#log.note("A new session began.");
    $("microphone-share").hidden = false;
  }

  #changed(session, { state, text }) {
    if (session !== this.#session) return;
    this.#say(state, text);
    if (state !== "ended") return;
    this.#session = null;
    $("start").textContent = "Start";
    $("microphone-options").hidden = false;
    $("microphone-share").hidden = true;
    $("latency").textContent = "";
    this.#release();
  }

  #heard(event) {
    this.#log.apply(event);
    if (event.type === "final" && typeof event.latency_ms === "number") {
      $("latency").textContent = length(event.latency_ms / 1000);
    }
  }

  #say(state, text = "") {
    const behind = this.#session?.behind ?? 0;
    const late = state === "reconnecting" && behind > BEHIND_S ? " What you say is kept." : "";
    $("microphone-state").dataset.state = text && state === "ended" ? "problem" : state;
    $("microphone-state").textContent = text && state === "ended" ? text : `${TEXTS[state]}${text ? ` ${text}` : ""}${late}`;
  }

  /** The loudest of the last moments on a scale of decibels. */
  #meter(peak) {
    const now = peak > 0 ? Math.max(0, 1 - (20 * Math.log10(peak)) / FLOOR_DB) : 0;
    this.#level = this.#microphone ? Math.max(now, this.#level * FALLS_BY) : 0;
    $("level").style.transform = `scaleX(${this.#level.toFixed(3)})`;
  }

  #share() {
    if (this.#session?.id) {
      offerLink({ kind: "live", target: this.#session.id, what: "Whoever has the link reads your captions while you speak." });
    }
  }
}
