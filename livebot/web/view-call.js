// A call's captions, for who cannot or need not see them in Talk.

import { json, words } from "./api.js";
import { offerLink } from "./dialogs.js";
import { $, button, el } from "./dom.js";
import { follow } from "./follow.js";
import { Log, hint } from "./log.js";

const AGAIN_MS = 5000;

const TEXTS = {
  connecting: "Connecting…",
  live: "Reading along",
  waiting: "Nothing is said there now. Waiting for captions to begin…",
  reconnecting: "Reconnecting…",
  ended: "Ended",
};

/** The state of something that is followed, in words. */
export function showState(element, state, text) {
  const shown = state === "ended" && text ? text : TEXTS[state] + (text && state === "reconnecting" ? ` ${text}` : "");
  // Said once by screen readers, not with each event.
  if (element.textContent !== shown) element.textContent = shown;
  element.dataset.state = state === "ended" && text ? "problem" : state;
}

/** A room's token and backend out of what people paste: a token, BACKEND/TOKEN, or Talk's link. */
export function roomOf(text) {
  const link = /\/call\/([^/?#]+)/.exec(text);
  if (link) return { token: link[1] };
  const [, backend, token] = /^(?:([^/]+)\/)?([^/]*)$/.exec(text.trim()) ?? [];
  return token && /^[a-z0-9]{4,30}$/.test(token) ? { backend, token } : null;
}

export class CallView {
  #log = new Log($("call-log"), {
    label: "Captions of the call",
    empty: hint("Nobody has said anything yet", "What is said in the call appears here."),
  });
  #reading = null;
  #room = null;
  #timer = 0;

  constructor() {
    $("call-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const room = roomOf($("room").value);
      $("call-problem").textContent = room ? "" : "A room's token has 4 to 30 letters and digits, like abcd1234.";
      if (room) this.#go(room);
    });
    $("call-leave").addEventListener("click", () => {
      location.hash = "call";
    });
    $("call-share").addEventListener("click", () => this.#share());
  }

  #go({ backend, token }) {
    location.hash = `call=${backend ? `${backend}/` : ""}${token}`;
  }

  /** Show a room, or which there are. */
  show(place) {
    const room = place ? roomOf(place) : null;
    $("call-choice").hidden = room !== null;
    $("call-reading").hidden = room === null;
    if (room) this.#read(room);
    else this.#choose();
  }

  hide() {
    clearTimeout(this.#timer);
  }

  #read(room) {
    clearTimeout(this.#timer);
    const same = this.#room && this.#room.token === room.token && this.#room.backend === room.backend;
    if (same && this.#reading) return;
    this.#leave();
    this.#room = room;
    this.#log.clear();
    this.#reading = new AbortController();
    follow(`api/v1/rooms/${room.token}/events`, {
      query: { backend: room.backend },
      signal: this.#reading.signal,
      onevent: (event) => this.#log.apply(event),
      onstate: (state, text) => showState($("call-state"), state, text),
    });
  }

  #leave() {
    this.#reading?.abort();
    this.#reading = this.#room = null;
  }

  async #choose() {
    this.#leave();
    clearTimeout(this.#timer);
    try {
      const { rooms } = await json("api/v1/call/transcribe");
      this.#list(rooms);
      $("call-problem").textContent = "";
    } catch (error) {
      $("call-problem").textContent = words(error);
    }
    if (!$("panel-call").hidden && !$("call-choice").hidden) {
      this.#timer = setTimeout(() => this.#choose(), AGAIN_MS);
    }
  }

  #list(rooms) {
    $("rooms-none").hidden = rooms.length > 0;
    const shown = JSON.stringify(rooms.map(({ backend, roomToken, speakers }) => [backend, roomToken, speakers.length]));
    if ($("rooms").dataset.shown === shown) return;
    $("rooms").dataset.shown = shown;
    $("rooms").replaceChildren(...rooms.map((room) => this.#card(room)));
  }

  #card({ backend, roomToken: token, languageId, speakers }) {
    const names = speakers.map(({ name }) => name).filter(Boolean);
    return el(
      "li",
      { class: "card" },
      el(
        "div",
        { class: "about" },
        el("p", { class: "title" }, el("bdi", {}, backend ? `${backend}/${token}` : token)),
        el("p", { class: "none" }, el("bdi", {}, names.join(", ") || "Nobody speaks"), ` · ${languageId}`),
      ),
      button("Read along", { "aria-label": `Read along in ${token}` }, () => this.#go({ backend, token })),
    );
  }

  async #share() {
    const { token } = this.#room;
    let { backend } = this.#room;
    if (!backend) {
      // A link says whose room it is, also where there is only one Nextcloud.
      const { rooms } = await json("api/v1/call/transcribe").catch(() => ({ rooms: [] }));
      backend = rooms.find(({ roomToken }) => roomToken === token)?.backend ?? "default";
    }
    offerLink({ kind: "room", target: `${backend}/${token}`, what: "Whoever has the link reads this call's captions." });
  }
}
