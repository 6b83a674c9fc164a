// A colour for each speaker: the same whenever somebody comes back, another for each as far as
// there are colours.

export const COLOURS = 8;

/** FNV-1a: the same name has the same number on every page. */
function hash(text) {
  let value = 0x811c9dc5;
  for (const unit of text) value = Math.imul(value ^ unit.codePointAt(0), 0x01000193);
  return value >>> 0;
}

export class Colours {
  #given = new Map();
  #taken = new Set();

  /** The number of a speaker's colour; null for nobody in particular. */
  of({ id, name }) {
    const key = name || id;
    if (!key) return null;
    if (!this.#given.has(key)) this.#given.set(key, this.#free(hash(key) % COLOURS));
    return this.#given.get(key);
  }

  #free(wanted) {
    if (this.#taken.size >= COLOURS) this.#taken.clear();
    let found = wanted;
    while (this.#taken.has(found)) found = (found + 1) % COLOURS;
    this.#taken.add(found);
    return found;
  }
}
