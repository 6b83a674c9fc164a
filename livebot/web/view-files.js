// Files on their way to transcripts.

import { json, request, upload, words } from "./api.js";
import { confirmed } from "./dialogs.js";
import { $, button, el } from "./dom.js";
import { length, moment, percent, size } from "./format.js";
import { downloads, transcriptOf } from "./transcript.js";

const AGAIN_MS = 1000;
const SELDOM_MS = 10_000;

const STATES = {
  uploading: "Uploading",
  queued: "Waiting",
  processing: "Recognising",
  completed: "Done",
  failed: "Failed",
  canceled: "Canceled",
};

export const isOver = (state) => ["completed", "failed", "canceled"].includes(state);

export class FilesView {
  #uploads = [];
  #jobs = [];
  #cards = new Map();
  #timer = 0;
  #visible = false;
  #open = "";
  #isAway = false;

  constructor() {
    const drop = $("drop");
    $("file").addEventListener("change", () => {
      this.#take($("file").files);
      $("file").value = "";
    });
    for (const name of ["dragover", "dragleave", "drop"]) {
      drop.addEventListener(name, (event) => {
        event.preventDefault();
        drop.classList.toggle("over", name === "dragover");
        if (name === "drop") this.#take(event.dataTransfer.files);
      });
    }
  }

  show() {
    this.#visible = true;
    this.#refresh();
  }

  hide() {
    this.#visible = false;
    clearTimeout(this.#timer);
  }

  #problem = (text) => {
    $("files-problem").textContent = text;
  };

  #take(files) {
    this.#problem("");
    for (const file of files) this.#send(file);
  }

  async #send(file) {
    const stop = new AbortController();
    const id = `upload ${crypto.randomUUID?.() ?? Math.random()}`;
    const job = { job_id: id, name: file.name, size: file.size, status: "uploading", part: 0, stop };
    this.#uploads.unshift(job);
    this.#render();
    const form = new FormData();
    form.append("language", $("file-language").value);
    form.append("diarize", String($("diarize").checked));
    // Last, so that what is wanted is known when the file comes.
    form.append("file", file);
    try {
      await upload("transcribe", form, {
        signal: stop.signal,
        onprogress: (part) => {
          job.part = part;
          this.#render();
        },
      });
    } catch (error) {
      if (error.name !== "AbortError") this.#problem(`${file.name}: ${words(error)}`);
    }
    this.#uploads = this.#uploads.filter((other) => other !== job);
    await this.#refresh();
  }

  async #refresh() {
    clearTimeout(this.#timer);
    let wait = AGAIN_MS;
    try {
      const { jobs } = await json("jobs");
      this.#tell(jobs);
      if (this.#isAway) this.#problem("");
      this.#isAway = false;
      this.#jobs = jobs;
      if (jobs.every(({ status }) => isOver(status))) wait = SELDOM_MS;
    } catch (error) {
      this.#problem(words(error));
      this.#isAway = true;
      wait = SELDOM_MS;
    }
    this.#render();
    clearTimeout(this.#timer);
    if (this.#visible) this.#timer = setTimeout(() => this.#refresh(), wait);
  }

  /** Say to screen readers what has ended since. */
  #tell(jobs) {
    const before = new Map(this.#jobs.map((job) => [job.job_id, job.status]));
    for (const { job_id: id, status, name } of jobs) {
      const was = before.get(id);
      if (was && was !== status && isOver(status)) $("jobs-news").textContent = `${name}: ${STATES[status]}`;
    }
  }

  #render() {
    const all = [...this.#uploads, ...this.#jobs];
    $("jobs-none").hidden = all.length > 0;
    const ids = new Set(all.map((job) => job.job_id));
    for (const [id, card] of this.#cards) {
      if (ids.has(id)) continue;
      card.remove();
      this.#cards.delete(id);
      if (this.#open === id) this.#close();
    }
    let before = null;
    for (const job of all) {
      const card = this.#cards.get(job.job_id) ?? this.#card(job);
      this.#update(card, job);
      const place = before ? before.nextElementSibling : $("jobs").firstElementChild;
      if (card !== place) $("jobs").insertBefore(card, place);
      before = card;
    }
  }

  #card(job) {
    const card = el(
      "li",
      { class: "card job" },
      el(
        "div",
        { class: "about" },
        el("p", { class: "title" }, el("bdi", {}, job.name)),
        el("p", { class: "none facts" }),
        el("progress", { max: 100, "aria-label": `Progress of ${job.name}` }),
      ),
      el("div", { class: "actions" }),
    );
    this.#cards.set(job.job_id, card);
    return card;
  }

  /** What changes is changed, and no more: the focus stays where it is. */
  #update(card, job) {
    const { status } = job;
    const done = status === "uploading" ? Math.floor(job.part * 100) : progressOf(job);
    const bar = card.querySelector("progress");
    bar.hidden = isOver(status);
    if (done === null) bar.removeAttribute("value");
    else bar.value = done;
    const text = factsOf(job, done);
    const facts = card.querySelector(".facts");
    if (facts.textContent !== text) facts.textContent = text;
    if (card.dataset.status === status) return;
    card.dataset.status = status;
    const actions = card.querySelector(".actions");
    const hadFocus = actions.contains(document.activeElement);
    actions.replaceChildren(...this.#actions(job));
    if (hadFocus) actions.querySelector("button")?.focus();
  }

  #actions(job) {
    const { status, name, job_id: id } = job;
    const cancel = () => (job.stop ? job.stop.abort() : this.#ask(`cancel/${id}`, "POST"));
    if (!isOver(status)) return [button("Cancel", { picture: "stop", "aria-label": `Cancel ${name}` }, cancel)];
    const erase = button("Delete", { picture: "erase", "aria-label": `Delete ${name}` }, () => this.#erase(id, name));
    if (status !== "completed") return [erase];
    return [button("Open", { picture: "open", "aria-label": `Open ${name}` }, () => this.#show(id, name)), erase];
  }

  async #ask(path, method) {
    try {
      await request(path, { method });
    } catch (error) {
      this.#problem(words(error));
    }
    await this.#refresh();
  }

  async #erase(id, name) {
    const sure = await confirmed("Delete this file?", `${name} and its transcript are erased. This cannot be undone.`, "Delete");
    if (!sure) return;
    if (this.#open === id) this.#close();
    await this.#ask(`jobs/${id}`, "DELETE");
    $("jobs-title").focus();
  }

  #close() {
    this.#open = "";
    const picture = $("job-open").querySelector("img");
    if (picture) URL.revokeObjectURL(picture.src);
    $("job-open").replaceChildren();
  }

  async #show(id, name) {
    this.#close();
    this.#open = id;
    try {
      const path = `jobs/${id}/result`;
      const found = await json(path, { query: { format: "json" } });
      if (this.#open !== id) return;
      const title = el("h3", { tabindex: -1 }, el("bdi", {}, name));
      const picture = el("div", { class: "plot" });
      $("job-open").replaceChildren(
        el("section", { class: "opened", "aria-label": name }, title, downloads(path, {}, name, this.#problem), picture, transcriptOf(found.segments, [], found.language)),
      );
      title.focus();
      title.scrollIntoView({ block: "start" });
      await this.#plot(id, picture, found);
    } catch (error) {
      this.#problem(words(error));
    }
  }

  /** Where on the time line somebody speaks; nothing where there is no such picture. */
  async #plot(id, place, { duration, segments }) {
    try {
      const response = await request(`jobs/${id}/plot.svg`);
      const src = URL.createObjectURL(await response.blob());
      const alt = `Time line of ${length(duration)} with ${segments.length} utterances; the words follow as text.`;
      place.replaceChildren(el("img", { src, alt }));
    } catch {
      place.remove();
    }
  }
}

function progressOf({ heard_s: heard = 0, total_s: total = 0, status, progress }) {
  if (status === "queued") return null;
  if (typeof progress === "number") return Math.floor(progress * 100);
  return total ? percent(heard, total) : null;
}

function factsOf(job, done) {
  const { status, size: bytes, error, total_s: total, created_at: made } = job;
  const facts = [STATES[status] ?? status];
  if (!isOver(status) && done !== null) facts[0] += ` ${done} %`;
  if (error) facts.push(error);
  if (total) facts.push(length(total));
  if (bytes) facts.push(size(bytes));
  if (made && isOver(status)) facts.push(moment(made));
  return facts.join(" · ");
}
