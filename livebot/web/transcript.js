// A transcript on the page: who said what and when; and its files to take away.

import { request, words } from "./api.js";
import { gapText } from "./captions.js";
import { Colours } from "./colours.js";
import { button, el } from "./dom.js";
import { clock } from "./format.js";

export const FORMATS = { txt: "Text", srt: "SRT", vtt: "WebVTT", json: "JSON", md: "Markdown" };

/** Segments in one piece are many: the rest comes when asked for. */
const MOST_AT_ONCE = 500;

/** One element for a whole transcript: its utterances, and where words are missing. */
export function transcriptOf(utterances, gaps = [], language = "") {
  const colours = new Colours();
  const list = el("ol", { class: "rows whole" });
  const rest = [...utterances, ...gaps].sort((one, other) => one.start - other.start);
  const more = button("Show more", { class: "quiet" }, () => add());
  let last = null;
  const add = () => {
    for (const part of rest.splice(0, MOST_AT_ONCE)) {
      const isGap = part.text === undefined;
      list.append(isGap ? mark(part) : row(part, language, colours, part.speaker === last));
      last = isGap ? null : part.speaker;
    }
    more.hidden = rest.length === 0;
  };
  add();
  return el("div", {}, list.childElementCount ? list : el("p", { class: "none" }, "No words were heard."), more);
}

const mark = (gap) => el("li", { class: "row gap" }, el("p", { class: "mark" }, gapText(gap)));

function row({ speaker, text, start, language }, fallback, colours, isSame) {
  const colour = colours.of({ name: speaker });
  const lang = language || fallback || null;
  return el(
    "li",
    { class: `row speech${isSame ? " same" : ""}`, "data-colour": colour },
    el("p", { class: "who" }, el("bdi", { class: "name" }, speaker), el("span", { class: "at" }, clock(start))),
    el("p", { class: "words", dir: "auto", lang }, text),
  );
}

/** Buttons that fetch each format and hand it to the browser to keep. */
export function downloads(path, query, title, problem) {
  const made = Object.entries(FORMATS).map(([format, name]) =>
    button(name, { picture: "download", "aria-label": `Download ${title} as ${name}` }, async (event) => {
      const pressed = event.currentTarget;
      pressed.disabled = true;
      try {
        const response = await request(path, { query: { ...query, format } });
        keep(await response.blob(), `${plain(title)}.${format}`);
      } catch (error) {
        problem(words(error));
      } finally {
        pressed.disabled = false;
        pressed.focus();
      }
    }),
  );
  return el("div", { class: "downloads", role: "group", "aria-label": "Download" }, ...made);
}

/** A title as the name of a file: no path, no ending of sound. */
function plain(title) {
  const name = title.replace(/\.[a-z0-9]{2,4}$/i, "").replace(/[\\/:*?"<>|\p{Cc}]+/gu, " ").trim();
  return name.slice(0, 80) || "transcript";
}

function keep(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
