// Captions on the page: finals stay, a partial is replaced by its speaker's next caption.

const COLOURS = 6;
const MAX_BLOCKS = 300;

/** The list of captions. */
export class Captions {
  #list;
  #blocks = new Map();
  #colours = new Map();

  constructor(list) {
    this.#list = list;
  }

  /** The class that gives a name its colour, the same wherever it appears. */
  colour(name) {
    if (!this.#colours.has(name)) this.#colours.set(name, this.#colours.size % COLOURS);
    return `speaker-${this.#colours.get(name)}`;
  }

  show({ speaker, name, text, language, final }) {
    const { settled, partial } = this.#block(speaker, name, language);
    const gap = settled.textContent ? " " : "";
    if (final) {
      settled.append(gap + text);
      partial.textContent = "";
    } else {
      partial.textContent = gap + text;
    }
  }

  /** The block a speaker's words go to: the last of all, or the one with a growing caption. */
  #block(speaker, name, language) {
    const block = this.#blocks.get(speaker);
    if (block && (block.item === this.#list.lastElementChild || block.partial.textContent)) return block;
    const item = document.createElement("li");
    item.className = this.colour(name);
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
    this.#list.append(item);
    if (this.#list.childElementCount > MAX_BLOCKS) this.#list.firstElementChild.remove();
    const fresh = { item, settled, partial };
    this.#blocks.set(speaker, fresh);
    return fresh;
  }
}
