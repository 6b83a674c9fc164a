// What is asked: the key, whether something is really to be erased, and a link to share.

import { json, words } from "./api.js";
import { $ } from "./dom.js";

/** Show a dialog until it is closed; returns its value, "" where it was left. */
function shown(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
  });
}

/** Forms here are never sent anywhere: their button closes the dialog with its value. */
function closing(dialog) {
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close(event.submitter?.value ?? "ok");
  });
  for (const button of dialog.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => dialog.close(""));
  }
}

let asking = null;

/** Ask for the key; all who need one at the same time get the same answer. */
export function askKey(wasWrong) {
  asking ??= ask(wasWrong).finally(() => {
    asking = null;
  });
  return asking;
}

async function ask(wasWrong) {
  const field = $("key");
  $("key-wrong").hidden = !wasWrong;
  field.value = "";
  const answer = await shown($("dialog-key"));
  const given = field.value.trim();
  field.value = "";
  return answer && given ? given : null;
}

/** Ask whether to go on with what cannot be undone. */
export async function confirmed(title, text, action) {
  $("confirm-title").textContent = title;
  $("confirm-text").textContent = text;
  $("confirm-action").textContent = action;
  return (await shown($("dialog-confirm"))) === "ok";
}

/** Offer a link to something that others may read. */
export async function offerLink({ kind, target, what }) {
  $("share-what").textContent = what;
  $("share-link").value = "";
  $("share-result").hidden = true;
  $("share-status").textContent = "";
  $("dialog-share").dataset.kind = kind;
  $("dialog-share").dataset.target = target;
  await shown($("dialog-share"));
}

async function makeLink() {
  const { kind, target } = $("dialog-share").dataset;
  const status = $("share-status");
  status.textContent = "";
  try {
    const { token } = await json("api/v1/shares", {
      method: "POST",
      body: { kind, target, expires_in_s: Number($("share-expires").value) },
    });
    const link = new URL(".", document.baseURI);
    link.hash = new URLSearchParams({ share: token, kind, target });
    $("share-link").value = link.href;
    $("share-result").hidden = false;
    $("share-link").select();
    status.textContent = "Anybody who has this link can read until it expires.";
  } catch (error) {
    status.textContent = words(error);
  }
}

async function copyLink() {
  const field = $("share-link");
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    $("share-status").textContent = "Copied.";
  } catch {
    $("share-status").textContent = "Selected: copy it with the keyboard.";
  }
}

export function startDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) closing(dialog);
  $("share-make").addEventListener("click", makeLink);
  $("share-copy").addEventListener("click", copyLink);
}
