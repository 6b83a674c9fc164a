// What somebody shared by a link: read only, and nothing else of the page.

import { readByLink, words } from "./api.js";
import { $ } from "./dom.js";
import { follow } from "./follow.js";
import { Log, hint } from "./log.js";
import { showState } from "./view-call.js";
import { opened } from "./view-transcripts.js";

const TITLES = { room: "Captions of a call", live: "Captions of a microphone", transcript: "A transcript" };

/** Show what a link is of. */
export function startShared({ share, kind, target }) {
  readByLink(share);
  $("tabs").hidden = true;
  $("panel-microphone").hidden = true;
  $("panel-shared").hidden = false;
  $("shared-title").hidden = false;
  $("shared-title").textContent = TITLES[kind] ?? "Shared";
  if (kind === "transcript") read(target);
  else along(kind, target);
}

function along(kind, target) {
  $("shared-log").hidden = false;
  const log = new Log($("shared-log"), {
    label: TITLES[kind] ?? "Captions",
    empty: hint("Nothing has been said yet", "What is said appears here."),
  });
  const [path, query] =
    kind === "room"
      ? [`api/v1/rooms/${encodeURIComponent(target.slice(target.lastIndexOf("/") + 1))}/events`, { backend: target.slice(0, target.lastIndexOf("/")) }]
      : [`api/v1/live/${encodeURIComponent(target)}/events`, {}];
  follow(path, {
    query,
    signal: new AbortController().signal,
    patient: kind === "room",
    onevent: (event) => log.apply(event),
    onstate: (state, text) => showState($("shared-state"), state, text),
  });
}

async function read(target) {
  const place = $("shared-open");
  place.hidden = false;
  $("shared-state").textContent = "Loading…";
  const problem = (text) => {
    $("shared-state").dataset.state = "problem";
    $("shared-state").textContent = text;
  };
  try {
    place.append(await opened(encodeURIComponent(target), "", problem));
    $("shared-state").textContent = "Read only";
  } catch (error) {
    problem(words(error));
  }
}
