// A participant's side of the signaling protocol, as Talk's web client speaks it.

export const IN_CALL = 1;
export const WITH_AUDIO = 2;

const ANSWER_WITHIN_MS = 10_000;
const CONNECT_WITHIN_MS = 10_000;

/** Wait until sound can flow. */
function connected(peer) {
  return new Promise((resolve, reject) => {
    // Chromium uses no loopback interface, not even to reach one.
    const why = "The browser could not send the sound: it needs some network, even to stay on this computer.";
    const fail = () => reject(new Error(why));
    const timer = setTimeout(fail, CONNECT_WITHIN_MS);
    peer.addEventListener("connectionstatechange", () => {
      if (peer.connectionState === "connected") resolve();
      if (["failed", "closed"].includes(peer.connectionState)) fail();
      if (peer.connectionState !== "connecting") clearTimeout(timer);
    });
  });
}

/**
 * One participant in one room.
 *
 * Events: "people" (who is in the call), "caption" (detail: the transcript), "problem" (detail:
 * what the demo could not do, in words), "closed".
 */
export class Call extends EventTarget {
  #socket;
  #lastId = 0;
  #waiting = new Map();
  #names = new Map();
  #users = new Map();
  #peer = null;
  #stream = null;
  session = "";

  /** Connect, join the room and say that we are in the call. */
  static async join({ url, room, name, flags, nextcloudSession }) {
    const call = new Call(url);
    await call.#opened();
    const params = { userid: "", displayname: name };
    const reply = await call.#ask("hello", { version: "1.0", auth: { params } });
    call.session = reply.hello.sessionid;
    await call.#ask("room", { roomid: room, sessionid: nextcloudSession });
    call.#send("internal", { type: "incall", incall: { incall: flags } });
    return call;
  }

  constructor(url) {
    super();
    this.#socket = new WebSocket(url);
    this.#socket.addEventListener("message", (event) => this.#receive(JSON.parse(event.data)));
    this.#socket.addEventListener("close", () => this.#closed());
  }

  /** Who is in the call: session, name, and whether with a microphone; bots left out. */
  get people() {
    return [...this.#users.values()]
      .filter((user) => user.inCall & IN_CALL && !user.internal)
      .map((user) => ({
        session: user.sessionId,
        name: this.name(user.sessionId),
        speaks: Boolean(user.inCall & WITH_AUDIO),
      }));
  }

  name(session) {
    return this.#names.get(session) || "Somebody";
  }

  /** Ask for captions, or for none; in Talk, this is a request to Nextcloud. */
  setCaptions(enable) {
    this.#send("captions", { enable });
  }

  /** Send a microphone's sound to the call. */
  async publish(stream) {
    this.#stream = stream;
    // On this machine no STUN server is needed, and none may be asked.
    const peer = (this.#peer = new RTCPeerConnection({ iceServers: [] }));
    peer.addTransceiver(stream.getAudioTracks()[0], { direction: "sendonly", streams: [stream] });
    peer.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate) this.#toMedia("candidate", { candidate });
    });
    await peer.setLocalDescription();
    const answered = this.#waitFor("answer");
    this.#toMedia("offer", { type: "offer", sdp: peer.localDescription.sdp });
    await peer.setRemoteDescription(await answered);
    await connected(peer);
  }

  leave() {
    this.#peer?.close();
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    if (this.#socket.readyState === WebSocket.OPEN) this.#send("bye", {});
    this.#socket.close();
  }

  #opened() {
    return new Promise((resolve, reject) => {
      this.#socket.addEventListener("open", resolve, { once: true });
      this.#socket.addEventListener("close", () => reject(new Error("The demo is not running.")), {
        once: true,
      });
    });
  }

  #closed() {
    for (const { reject } of this.#waiting.values()) reject(new Error("The connection was lost."));
    this.#waiting.clear();
    this.dispatchEvent(new Event("closed"));
  }

  #send(type, body) {
    const id = String(++this.#lastId);
    this.#socket.send(JSON.stringify({ id, type, [type]: body }));
    return id;
  }

  #ask(type, body) {
    return this.#waitFor(this.#send(type, body));
  }

  #waitFor(key) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("The demo does not answer.")), ANSWER_WITHIN_MS);
      const settle = (how) => (value) => {
        clearTimeout(timer);
        this.#waiting.delete(key);
        how(value);
      };
      this.#waiting.set(key, { resolve: settle(resolve), reject: settle(reject) });
    });
  }

  #toMedia(type, payload) {
    const data = { to: this.session, type, roomType: "video", sid: "1", payload };
    this.#send("message", { recipient: { type: "session", sessionid: this.session }, data });
  }

  #receive(message) {
    if (message.type === "error") {
      if (!message.id) this.dispatchEvent(new CustomEvent("problem", { detail: message.error.message }));
      this.#waiting.get(message.id)?.reject(new Error(message.error.message));
    } else if (message.id) {
      this.#waiting.get(message.id)?.resolve(message);
    }
    if (message.type === "event") this.#onEvent(message.event);
    if (message.type === "message") this.#onMessage(message.message.data);
  }

  #onEvent({ target, type, join, leave, update }) {
    if (target === "room" && type === "join") {
      for (const entry of join) this.#names.set(entry.sessionid, entry.user?.displayname || entry.userid);
    } else if (target === "room" && type === "leave") {
      for (const session of leave) this.#users.delete(session);
    } else if (target === "participants" && type === "update") {
      for (const user of update.users ?? []) this.#users.set(user.sessionId, user);
    }
    this.dispatchEvent(new Event("people"));
  }

  #onMessage(data) {
    if (data?.type === "answer") this.#waiting.get("answer")?.resolve(data.payload);
    if (data?.type === "transcript") this.dispatchEvent(new CustomEvent("caption", { detail: data }));
  }
}
