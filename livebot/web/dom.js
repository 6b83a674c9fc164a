// Elements. Text goes in as text, never as markup: names and words come from strangers.

export const $ = (id) => document.getElementById(id);

/** Make an element: `el("p", { class: "quiet", lang: "de" }, "text", child)`. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A copy of a template's content. */
export function copy(id) {
  return $(id).content.cloneNode(true);
}

/** A picture of index.html's, by its name. */
export function icon(name) {
  return $(`icon-${name}`).content.firstElementChild.cloneNode(true);
}

/** A button with a picture and its name. */
export function button(label, { picture, quiet = true, ...attributes } = {}, onclick) {
  const made = el("button", { type: "button", class: quiet ? "quiet" : "strong", ...attributes });
  if (picture) made.append(icon(picture));
  made.append(label);
  made.addEventListener("click", onclick);
  return made;
}
