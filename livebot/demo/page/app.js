// The demo's page: a participant that reads, and speaks once it is asked to.

import { Captions } from "./captions.js";
import { Call, IN_CALL, WITH_AUDIO } from "./signaling.js";

const ROOM = "demo";
const READER = "Reader";
const RETRY_MS = 2000;
const NEAR_END_PX = 80;

const $ = (id) => document.getElementById(id);
const captions = new Captions($("captions"));
const scroller = document.querySelector("main");

let call = null;
let speaking = false;

function follow(change) {
  const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END_PX;
  change();
  if (atEnd) scroller.scrollTop = scroller.scrollHeight;
}

function label(current, session) {
  return current.name(session) + (session === current.session ? " (you)" : "");
}

function showPeople(current) {
  const chips = current.people
    .filter((person) => person.speaks)
    .map((person) => {
      const chip = document.createElement("li");
      chip.textContent = label(current, person.session);
      chip.className = captions.colour(chip.textContent);
      return chip;
    });
  $("people").replaceChildren(...chips);
}

function showCaption(current, { speakerSessionId, message, langId, final }) {
  follow(() =>
    captions.show({
      speaker: speakerSessionId,
      name: label(current, speakerSessionId),
      text: message,
      language: langId,
      // Missing means final, as in Talk.
      final: final !== false,
    }),
  );
}

/** Enter the call, in place of the session before, whose captions stay on the page. */
async function enter(name, flags) {
  const url = `ws://${location.host}/spreed`;
  const current = await Call.join({ url, room: ROOM, name, flags });
  const before = call;
  call = current;
  before?.leave();
  current.addEventListener("people", () => showPeople(current));
  current.addEventListener("caption", ({ detail }) => showCaption(current, detail));
  current.addEventListener("closed", () => {
    if (call !== current) return;
    call = null;
    setSpeaking(false);
    $("status").textContent = "The demo has ended. Waiting for it to come back…";
    setTimeout(read, RETRY_MS);
  });
  showPeople(current);
  $("status").textContent = "Connected";
  return current;
}

async function read() {
  try {
    await enter(READER, IN_CALL);
  } catch (error) {
    $("status").textContent = `${error.message} Trying again…`;
    setTimeout(read, RETRY_MS);
  }
}

function setSpeaking(now) {
  speaking = now;
  $("toggle").textContent = now ? "Leave" : "Join with my microphone";
  $("name").disabled = now;
}

async function speak() {
  // Asked for first, so that nobody waits for a speaker who says no.
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  try {
    const current = await enter($("name").value.trim() || "Guest", IN_CALL | WITH_AUDIO);
    await current.publish(stream);
    setSpeaking(true);
  } catch (error) {
    for (const track of stream.getTracks()) track.stop();
    await enter(READER, IN_CALL);
    throw error;
  }
}

$("join").addEventListener("submit", async (event) => {
  event.preventDefault();
  $("problem").textContent = "";
  $("toggle").disabled = true;
  try {
    if (speaking) {
      await enter(READER, IN_CALL);
      setSpeaking(false);
    } else {
      await speak();
    }
  } catch (error) {
    const denied = error.name === "NotAllowedError";
    $("problem").textContent = denied ? "The browser was not allowed to use the microphone." : error.message;
  } finally {
    $("toggle").disabled = false;
  }
});

addEventListener("pagehide", () => call?.leave());
read();
