// What is kept: found, read, taken away, shared and erased.

import { json, request, words } from "./api.js";
import { confirmed, offerLink } from "./dialogs.js";
import { $, button, el } from "./dom.js";
import { length, moment } from "./format.js";
import { downloads, transcriptOf } from "./transcript.js";

const PATH = "api/v1/transcripts";
const AT_ONCE = 30;
const KINDS = { call: "Call", live: "Microphone", job: "File" };

const titleOf = ({ title, kind, room }) => title || (room ? `Call ${room}` : `${KINDS[kind] ?? "Transcript"}`);

export class TranscriptsView {
  #cursor = "";
  #query = {};
  #turn = 0;

  constructor() {
    $("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#find();
    });
    $("kind").addEventListener("change", () => this.#find());
    $("more").addEventListener("click", () => this.#more());
  }

  show() {
    this.#find();
  }

  hide() {}

  #problem = (text) => {
    $("transcripts-problem").textContent = text;
  };

  async #find() {
    this.#query = { query: $("query").value.trim(), kind: $("kind").value, limit: AT_ONCE };
    this.#cursor = "";
    await this.#more();
  }

  async #more() {
    const turn = (this.#turn += 1);
    const isFirst = this.#cursor === "";
    this.#problem("");
    try {
      const page = await json(PATH, { query: { ...this.#query, cursor: this.#cursor } });
      // Somebody may have searched for something else meanwhile.
      if (turn !== this.#turn) return;
      this.#list(page, isFirst);
    } catch (error) {
      this.#problem(words(error));
    }
  }

  #list({ transcripts, cursor = "" }, isFirst) {
    const cards = transcripts.map((head) => this.#card(head));
    if (isFirst) $("found").replaceChildren(...cards);
    else $("found").append(...cards);
    this.#cursor = cursor;
    $("more").hidden = !cursor;
    const count = $("found").childElementCount;
    const some = count === 1 ? "One transcript" : `${count} transcripts`;
    const none = this.#query.query || this.#query.kind ? "Nothing was found." : "Nothing is kept yet.";
    $("transcripts-news").textContent = count ? `${some}${cursor ? ", and more" : ""}` : none;
    if (!isFirst) cards[0]?.querySelector("button")?.focus();
  }

  #card(head) {
    const name = titleOf(head);
    const { id, kind, started_at: began, duration, language, text } = head;
    const facts = [KINDS[kind] ?? kind, began && moment(began), duration ? length(duration) : null, language];
    const card = el(
      "li",
      { class: "card" },
      el(
        "div",
        { class: "about" },
        el("p", { class: "title" }, el("bdi", {}, name)),
        el("p", { class: "none" }, facts.filter(Boolean).join(" · ")),
        text ? el("p", { class: "found", dir: "auto" }, text) : null,
      ),
      el(
        "div",
        { class: "actions" },
        button("Open", { picture: "open", "aria-label": `Open ${name}` }, () => this.#open(head)),
        button("Share", { picture: "share", "aria-label": `Share ${name}` }, () =>
          offerLink({ kind: "transcript", target: id, what: `Whoever has the link reads ${name}.` }),
        ),
        button("Erase", { picture: "erase", "aria-label": `Erase ${name}` }, () => this.#erase(head, card)),
      ),
    );
    return card;
  }

  async #open(head) {
    try {
      const shown = await opened(head.id, titleOf(head), this.#problem);
      shown.dataset.id = head.id;
      $("transcript-open").replaceChildren(shown);
      const title = shown.querySelector("h3");
      title.focus();
      title.scrollIntoView({ block: "start" });
    } catch (error) {
      this.#problem(words(error));
    }
  }

  async #erase({ id, ...head }, card) {
    const sure = await confirmed("Erase this transcript?", `${titleOf(head)}: its words and its audio are erased. This cannot be undone.`, "Erase");
    if (!sure) return;
    try {
      await request(`${PATH}/${id}`, { method: "DELETE" });
      const next = card.nextElementSibling ?? card.previousElementSibling;
      card.remove();
      if ($("transcript-open").firstElementChild?.dataset.id === id) $("transcript-open").replaceChildren();
      $("transcripts-news").textContent = "Erased.";
      (next?.querySelector("button") ?? $("query")).focus();
    } catch (error) {
      this.#problem(words(error));
    }
  }
}

/** A transcript with its downloads, to be put into the page. */
export async function opened(id, title, problem) {
  const path = `${PATH}/${id}`;
  const { transcript, utterances, gaps } = await json(path);
  const name = title || titleOf(transcript);
  return el(
    "section",
    { class: "opened", "aria-label": name },
    el("h3", { tabindex: -1 }, el("bdi", {}, name)),
    downloads(path, {}, name, problem),
    transcriptOf(utterances, gaps, transcript.language),
  );
}
