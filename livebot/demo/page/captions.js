// Captions on the page: finals stay, a partial is replaced by its speaker's next caption.

const COLOURS = 6;
const MAX_BLOCKS = 300;

/** One list of captions, a block for each turn of a speaker. */
class Blocks {
  #last = new Map();

  constructor(list) {
    this.list = list;
  }

  show({ speaker, name, colour, text, language, final }) {
    const { settled, partial } = this.#block(speaker, name, colour, language);
    const gap = settled.textContent ? " " : "";
    if (final) {
      settled.append(gap + text);
      partial.textContent = "";
    } else {
      partial.textContent = gap + text;
    }
  }

  /** Hand over what is complete; what still grows comes again, in a block of its own. */
  take() {
    this.#last.clear();
    const items = [...this.list.children];
    for (const item of items) item.querySelector(".partial").textContent = "";
    this.list.replaceChildren();
    return items.filter((item) => item.querySelector(".settled").textContent);
  }

  /** The block a speaker's words go to: the last of all, or the one with a growing caption. */
  #block(speaker, name, colour, language) {
    const block = this.#last.get(speaker);
    if (block && (block.item === this.list.lastElementChild || block.partial.textContent)) return block;
    const item = document.createElement("li");
    item.className = colour;
    const who = document.createElement("span");
    who.className = "name";
    who.textContent = name;
    const words = document.createElement("p");
    words.lang = language;
    const settled = document.createElement("span");
    settled.className = "settled";
    const partial = document.createElement("span");
    partial.className = "partial";
    // Read out once, when it is final, instead of with every change.
    partial.ariaHidden = "true";
    words.append(settled, partial);
    item.append(who, words);
    this.list.append(item);
    const fresh = { item, settled, partial };
    this.#last.set(speaker, fresh);
    return fresh;
  }
}

/**
 * All captions: those of now in a list that screen readers read out as it grows, and above it
 * those of before, which they do not.
 */
export class Captions {
  #live;
  #past;
  #earlier = null;
  #colours = new Map();

  constructor(live, past) {
    this.#live = new Blocks(live);
    this.#past = past;
  }

  /** The class that gives a name its colour, the same wherever it appears. */
  colour(name) {
    if (!this.#colours.has(name)) this.#colours.set(name, this.#colours.size % COLOURS);
    return `speaker-${this.#colours.get(name)}`;
  }

  /** Show a caption; `history` says that it was said before we began to read. */
  show({ history, ...caption }) {
    const shown = { ...caption, colour: this.colour(caption.name) };
    if (history) {
      this.rest();
      this.#earlier ??= this.#heading();
      this.#earlier.show(shown);
    } else {
      this.#live.show(shown);
    }
    this.#trim();
  }

  /** Make past what has been said until now: what comes next is below it, and may be history. */
  rest() {
    const items = this.#live.take();
    if (!items.length) return;
    const list = document.createElement("ol");
    list.append(...items);
    this.#past.append(list);
    this.#earlier = null;
  }

  #heading() {
    const section = document.createElement("section");
    section.className = "earlier";
    section.ariaLabel = "Said earlier";
    const heading = document.createElement("h2");
    heading.textContent = "Said earlier";
    const list = document.createElement("ol");
    section.append(heading, list);
    this.#past.append(section);
    return new Blocks(list);
  }

  /** Forget the oldest blocks, and the lists that are empty then. */
  #trim() {
    const all = [...this.#past.querySelectorAll("li"), ...this.#live.list.children];
    for (const item of all.slice(0, -MAX_BLOCKS)) item.remove();
    for (const part of [...this.#past.children]) {
      if (!part.querySelector("li")) part.remove();
    }
  }
}
