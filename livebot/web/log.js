// Captions on the page: a window of at most MOST rows of all there are, which follows the newest
// one while the reader is at the end, and stays where it is otherwise.
//
// Screen readers get what is final, once, in a region of its own: rows grow and change.

import { Captions } from "./captions.js";
import { Colours } from "./colours.js";
import { copy, el } from "./dom.js";
import { clock } from "./format.js";

export const MOST = 500;
const STEP = 100;
const NEAR_PX = 120;
const MOST_HEARD = 12;

export class Log {
  #captions = new Captions();
  #colours = new Colours();
  #rows = new Map();
  #from = 0;
  #following = true;
  #leftAt = 0;
  #onGrown;

  /**
   * Put captions into a place of the page.
   *
   * @param place Where.
   * @param label What screen readers call it.
   * @param empty What is shown while there is nothing.
   */
  constructor(place, { label, empty }, onGrown = () => {}) {
    const parts = copy("template-log");
    this.scroller = parts.querySelector(".scroller");
    this.list = parts.querySelector(".rows");
    this.heard = parts.querySelector(".heard");
    this.newest = parts.querySelector(".newest");
    this.empty = parts.querySelector(".empty");
    this.scroller.ariaLabel = label;
    this.heard.ariaLabel = `New: ${label}`;
    this.empty.append(empty);
    place.append(parts);
    this.#onGrown = onGrown;
    this.newest.addEventListener("click", () => this.follow());
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.#following && this.#toEnd()).observe(this.scroller);
  }

  get entries() {
    return this.#captions.entries;
  }

  apply(event) {
    this.#change(this.#captions.apply(event));
  }

  note(text) {
    this.#change(this.#captions.note(text));
  }

  begin(epoch) {
    this.#captions.begin(epoch);
  }

  /** Forget everything: another conversation. */
  clear() {
    this.#captions = new Captions();
    this.#colours = new Colours();
    this.heard.replaceChildren();
    this.#draw(0, 0);
    this.follow();
  }

  /** Go to the newest row and stay with it. */
  follow() {
    const hadFocus = document.activeElement === this.newest;
    this.#following = true;
    this.#draw(Math.max(0, this.entries.length - STEP * 2), this.entries.length);
    this.#toEnd();
    this.newest.hidden = true;
    // The button is gone, and the focus with it.
    if (hadFocus) this.scroller.focus();
  }

  get #to() {
    return this.#from + this.list.childElementCount;
  }

  #change(changes) {
    // Of scrolling we are told only with the next frame.
    if (this.#following && this.scroller.scrollTop < this.#leftAt) this.#following = this.#below < NEAR_PX / 2;
    for (const { op, entry, index, fresh, news } of changes) {
      if (op === "reset") this.#reset(news);
      else if (op === "remove") this.#removed(entry, index);
      else if (op === "add") this.#added(entry);
      else this.#fill(entry);
      if (fresh) this.#say(entry);
    }
    if (this.#following) this.#toEnd();
    this.empty.hidden = this.entries.length > 0;
    this.#onGrown(this.entries);
  }

  #reset(news) {
    const { length } = this.entries;
    const from = this.#following ? length - STEP * 2 : Math.min(this.#from, length - STEP);
    this.#draw(Math.max(0, from), Math.min(length, Math.max(0, from) + MOST));
    for (const entry of news.slice(-MOST_HEARD)) this.#say(entry);
  }

  #added(entry) {
    const wasAtEnd = this.#to === this.entries.length - 1;
    if (!wasAtEnd) {
      this.newest.hidden = false;
      return;
    }
    this.list.append(this.#row(entry));
    this.#group(this.list.lastElementChild);
    if (this.list.childElementCount > MOST) {
      if (this.#following) this.#dropFirst(1);
      else this.#dropLast(1);
    }
    if (!this.#following) this.newest.hidden = false;
  }

  #removed(entry, index) {
    const row = this.#rows.get(entry.key);
    this.#rows.delete(entry.key);
    if (!row) {
      if (index < this.#from) this.#from -= 1;
      return;
    }
    const next = row.nextElementSibling;
    row.remove();
    this.#group(next);
  }

  /** Show the entries of a range, and no others. */
  #draw(from, to) {
    this.#rows.clear();
    this.#from = from;
    this.list.replaceChildren(...this.entries.slice(from, to).map((entry) => this.#row(entry)));
    for (const row of this.list.children) this.#group(row);
  }

  #row(entry) {
    const row = el("li", { class: `row ${entry.kind}` });
    if (entry.kind === "speech") {
      row.append(
        el("p", { class: "who" }, el("bdi", { class: "name" }), el("span", { class: "at" })),
        el("p", { class: "words", dir: "auto" }),
      );
    } else {
      row.append(el("p", { class: "mark", dir: "auto" }));
    }
    this.#rows.set(entry.key, row);
    this.#fill(entry);
    return row;
  }

  /** Write what an entry has now into its row. */
  #fill(entry) {
    const row = this.#rows.get(entry.key);
    if (!row) return;
    if (entry.kind !== "speech") {
      row.firstElementChild.textContent = entry.text;
      return;
    }
    const { speaker, text, language, final, start } = entry;
    const colour = this.#colours.of(speaker);
    row.dataset.speaker = speaker.id || speaker.name || "";
    row.classList.toggle("interim", !final);
    if (colour !== null) row.dataset.colour = colour;
    row.querySelector(".name").textContent = speaker.name || (speaker.id ? "Somebody" : "");
    row.querySelector(".at").textContent = clock(start);
    const words = row.querySelector(".words");
    if (language) words.lang = language;
    words.textContent = text;
  }

  /** Show a name once for rows of the same speaker. */
  #group(row) {
    if (!row) return;
    const before = row.previousElementSibling;
    const same = before?.classList.contains("speech") && before.dataset.speaker === row.dataset.speaker;
    row.classList.toggle("same", Boolean(same) && row.classList.contains("speech"));
  }

  #say({ kind, speaker, text, language }) {
    if (kind !== "speech") {
      this.#hear(el("p", {}, text));
      return;
    }
    const who = speaker.name ? `${speaker.name}: ` : "";
    this.#hear(el("p", {}, el("bdi", {}, who), el("span", { dir: "auto", lang: language || null }, text)));
  }

  #hear(line) {
    this.heard.append(line);
    while (this.heard.childElementCount > MOST_HEARD) this.heard.firstElementChild.remove();
  }

  #toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#leftAt = this.scroller.scrollTop;
  }

  get #below() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  #scrolled() {
    const { scrollTop } = this.scroller;
    const below = this.#below;
    const isLast = this.#to >= this.entries.length;
    this.#following = isLast && below < NEAR_PX / 2;
    if (this.#following) this.newest.hidden = true;
    if (scrollTop < NEAR_PX && this.#from > 0) this.#earlier();
    else if (below < NEAR_PX && !isLast) this.#later();
  }

  #earlier() {
    const from = Math.max(0, this.#from - STEP);
    const rows = this.entries.slice(from, this.#from).map((entry) => this.#row(entry));
    const first = this.list.firstElementChild;
    this.#keeping(first, () => {
      this.list.prepend(...rows);
      this.#from = from;
      for (const row of [...rows, first]) this.#group(row);
      this.#dropLast(this.list.childElementCount - MOST);
    });
  }

  #later() {
    const rows = this.entries.slice(this.#to, this.#to + STEP).map((entry) => this.#row(entry));
    this.#keeping(this.list.lastElementChild, () => {
      this.list.append(...rows);
      for (const row of rows) this.#group(row);
      this.#dropFirst(this.list.childElementCount - MOST);
    });
  }

  /** Change rows, and leave this one where it is on the screen. */
  #keeping(row, change) {
    const before = row?.offsetTop ?? 0;
    change();
    if (row) this.scroller.scrollTop += row.offsetTop - before;
  }

  #dropFirst(count) {
    for (let left = count; left > 0; left -= 1) {
      this.#forget(this.list.firstElementChild);
      this.#from += 1;
    }
    this.#group(this.list.firstElementChild);
  }

  #dropLast(count) {
    for (let left = count; left > 0; left -= 1) this.#forget(this.list.lastElementChild);
  }

  #forget(row) {
    for (const [key, found] of this.#rows) if (found === row) this.#rows.delete(key);
    row.remove();
  }
}

/** The empty state of a log. */
export function hint(title, text) {
  const picture = el("img", { src: new URL("./icon.svg", import.meta.url), alt: "" });
  return el("div", { class: "hint" }, picture, el("p", { class: "title" }, title), el("p", {}, text));
}

