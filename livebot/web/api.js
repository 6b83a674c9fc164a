// The service's API. Addresses are relative to the page: it may lie below a path of a proxy.

import { messages } from "./sse.js";

const KEY = "livebot.key";
const home = new URL(".", document.baseURI);

/** What the service says no with, in its words. */
export class Refusal extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

let ask = async () => null;
let share = null;

/** Say who is asked for a key where one is needed; returns it, or null. */
export function askKeyWith(asking) {
  ask = asking;
}

/** From now on, read by a link and with nothing else. */
export function readByLink(token) {
  share = token;
}

export const forgetKey = () => sessionStorage.removeItem(KEY);
export const hasKey = () => sessionStorage.getItem(KEY) !== null;

export function address(path, query = {}) {
  const found = new URL(path, home);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") found.searchParams.set(name, value);
  }
  return found;
}

export function credentials() {
  if (share !== null) return { "Livebot-Share": share };
  const key = sessionStorage.getItem(KEY);
  return key === null ? {} : { Authorization: `Bearer ${key}` };
}

/** Ask until the service knows who asks, or the user does not say. */
async function admitted(attempt) {
  for (;;) {
    const key = sessionStorage.getItem(KEY);
    const response = await attempt(credentials());
    if (response.status !== 401 || share !== null) return response;
    // Somebody else may have said it meanwhile.
    if (sessionStorage.getItem(KEY) !== key) continue;
    const given = await ask(key !== null);
    if (given === null) return response;
    sessionStorage.setItem(KEY, given);
  }
}

export async function refusal(response) {
  let text = "";
  try {
    const body = await response.json();
    text = typeof body.error === "string" ? body.error : (body.error?.message ?? "");
  } catch {
    // Whoever answers is not the service, or breaks off.
  }
  if (response.status === 401 && share !== null) text = "This link has expired, or was withdrawn.";
  const shown = text && text[0].toUpperCase() + text.slice(1);
  return new Refusal(response.status, shown || `The service answers ${response.status}.`);
}

/** Ask; throws a Refusal where the answer is no, a TypeError where there is none. */
export async function request(path, { method = "GET", query, body, signal } = {}) {
  const response = await admitted((headers) => {
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const sent = body === undefined ? undefined : JSON.stringify(body);
    return fetch(address(path, query), { method, headers, body: sent, signal, cache: "no-store" });
  });
  if (!response.ok) throw await refusal(response);
  return response;
}

export const json = async (path, options) => (await request(path, options)).json();

/** Yield server-sent events. Ends with the answer; throws as request() does. */
export async function* events(path, { query, signal } = {}) {
  const response = await request(path, { query, signal });
  yield* messages(response.body);
}

/** Send a form; `onprogress` gets the part that is sent, 0 to 1. */
export async function upload(path, form, { onprogress, signal }) {
  const response = await admitted((headers) => send(address(path), form, headers, onprogress, signal));
  if (!response.ok) throw await refusal(response);
  return response.json();
}

/** By XMLHttpRequest: fetch tells nothing of how far it is. */
function send(url, form, headers, onprogress, signal) {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open("POST", url);
    for (const [name, value] of Object.entries(headers)) call.setRequestHeader(name, value);
    call.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onprogress(event.loaded / event.total);
    });
    call.addEventListener("load", () => {
      // A status without a body may have none here either.
      const body = call.status === 204 ? null : call.responseText;
      resolve(new Response(body, { status: call.status }));
    });
    call.addEventListener("error", () => reject(new Error("The upload broke off. Try again.")));
    call.addEventListener("abort", () => reject(new DOMException("canceled", "AbortError")));
    signal?.addEventListener("abort", () => call.abort());
    call.send(form);
  });
}

/** The address of a WebSocket, with a ticket: browsers show no keys there. */
export async function socketAddress(path, query) {
  const { ticket } = await json("api/v1/tickets", { method: "POST" });
  const found = address(path, { ...query, ticket });
  found.protocol = found.protocol === "https:" ? "wss:" : "ws:";
  return found;
}

/** What went wrong, for people. */
export function words(error) {
  if (error instanceof Refusal) return error.message;
  if (error instanceof TypeError) return "The service cannot be reached.";
  return error.message || String(error);
}
