// The page: four things to do, or what somebody shared.

import { askKeyWith, json } from "./api.js";
import { askKey, startDialogs } from "./dialogs.js";
import { $, el } from "./dom.js";
import { startLooks } from "./looks.js";
import { Tabs } from "./tabs.js";
import { CallView } from "./view-call.js";
import { FilesView } from "./view-files.js";
import { MicrophoneView } from "./view-microphone.js";
import { startShared } from "./view-shared.js";
import { TranscriptsView } from "./view-transcripts.js";

/** Which of the service's routes are there; nothing where that cannot be found out. */
async function routes() {
  try {
    return new Set(Object.keys((await json("openapi.json")).paths));
  } catch {
    return new Set();
  }
}

/** Offer the languages that are understood; without them there is the default. */
async function fillLanguages() {
  let found;
  try {
    found = await json("api/v1/languages");
  } catch {
    return;
  }
  const known = Object.entries(found).sort(([, one], [, other]) => one.name.localeCompare(other.name));
  for (const select of document.querySelectorAll("[data-languages]")) {
    select.closest("label").hidden = known.length === 0;
    select.append(...known.map(([code, { name }]) => el("option", { value: code }, name)));
  }
}

function start() {
  const views = { microphone: new MicrophoneView(), call: new CallView(), files: new FilesView(), transcripts: new TranscriptsView() };
  let place = "";
  let current = "";
  const tabs = new Tabs($("tabs"), (name) => {
    if (current && current !== name) views[current].hide?.();
    current = name;
    views[name].show?.(place);
  });
  const go = () => {
    const [[name = "", rest = ""] = []] = new URLSearchParams(location.hash.slice(1));
    place = rest;
    tabs.show(tabs.names.includes(name) ? name : tabs.names[0]);
  };
  addEventListener("hashchange", () => {
    // A link that was pasted into this very tab.
    if (location.hash.includes("share=")) location.reload();
    else go();
  });
  go();
  routes().then((there) => {
    tabs.offer("call", there.size === 0 || there.has("/api/v1/call/transcribe"));
    if (location.hash.startsWith("#call")) go();
    if (there.has("/api/v1/languages")) fillLanguages();
  });
}

askKeyWith(askKey);
startDialogs();
startLooks({ smaller: $("smaller"), larger: $("larger"), contrast: $("contrast"), shown: $("size-shown") });
$("skip").addEventListener("click", (event) => {
  // Its address would be taken for a place.
  event.preventDefault();
  $("main").focus();
});

const link = new URLSearchParams(location.hash.slice(1));
if (link.has("share")) startShared(Object.fromEntries(link));
else start();
