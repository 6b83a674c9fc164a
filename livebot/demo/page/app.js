// The demo's page: a participant that reads, and speaks once it is asked to.

import { Captions } from "./captions.js";
import { Call, IN_CALL, WITH_AUDIO } from "./signaling.js";

const ROOM = "demo";
const READER = "Reader";
const RETRY_MS = 2000;
const NEAR_END_PX = 80;

const $ = (id) => document.getElementById(id);
const captions = new Captions($("captions"), $("past"));
const scroller = document.querySelector("main");

// As Nextcloud gives one to each page; it outlives our sessions in the call.
const nextcloudSession = Array.from(crypto.getRandomValues(new Uint32Array(8)), (n) => n.toString(36)).join("");

let call = null;
let speaking = false;
let reading = true;

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

function showCaption(current, { speakerSessionId, message, langId, final, history }) {
  follow(() =>
    captions.show({
      speaker: speakerSessionId,
      name: label(current, speakerSessionId),
      text: message,
      language: langId,
      // Missing means final, as in Talk.
      final: final !== false,
      history: history === true,
    }),
  );
}

/** Enter the call, in place of the session before, whose captions stay on the page. */
async function enter(name, flags) {
  const url = `ws://${location.host}/spreed`;
  const current = await Call.join({ url, room: ROOM, name, flags, nextcloudSession });
  current.setCaptions(reading);
  const before = call;
  call = current;
  before?.leave();
  current.addEventListener("people", () => showPeople(current));
  current.addEventListener("caption", ({ detail }) => {
    if (call === current) showCaption(current, detail);
  });
  current.addEventListener("problem", ({ detail }) => {
    $("problem").textContent = detail;
  });
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

function setReading(now) {
  reading = now;
  $("cc").ariaPressed = String(now);
  $("empty").textContent = now ? "Waiting for somebody to speak…" : "Captions are off.";
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

$("cc").addEventListener("click", () => {
  $("problem").textContent = "";
  setReading(!reading);
  call?.setCaptions(reading);
  if (!reading) follow(() => captions.rest());
});

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
setReading(true);
read();
