// Reads along in a call or a live session, as long as it takes: a connection that breaks is opened
// again, and what was said meanwhile comes then.

import { Refusal, events, words } from "./api.js";
import { Backoff } from "./backoff.js";

/**
 * Follow until the signal aborts, or what is followed has ended.
 *
 * @param path Where its events are.
 * @param query What to ask with.
 * @param onevent Gets each event.
 * @param onstate Gets "connecting", "live", "waiting", "reconnecting" or "ended", and a text.
 */
export async function follow(path, { query = {}, signal, onevent, onstate, patient = true }) {
  const backoff = new Backoff();
  let place = {};
  onstate("connecting", "");
  while (!signal.aborted) {
    let state = ["reconnecting", ""];
    try {
      for await (const event of events(path, { query: { ...query, ...place }, signal })) {
        if (event.type === "closed") {
          state = ["waiting", "The captions have ended here."];
          break;
        }
        backoff.reset();
        if (event.type === "snapshot") place = { epoch: event.epoch };
        if (event.seq !== undefined) place.after = event.seq;
        onstate("live", "");
        onevent(event);
      }
    } catch (error) {
      if (signal.aborted) return;
      state = told(error);
    }
    const [name, text] = state;
    if (name === "ended" || (name === "waiting" && !patient)) {
      onstate("ended", text);
      return;
    }
    onstate(name, text);
    await backoff.wait(signal);
  }
}

/** What an error means for who waits. */
function told(error) {
  const text = words(error);
  if (!(error instanceof Refusal) || error.status >= 500 || error.status === 429) return ["reconnecting", text];
  return [error.status === 404 ? "waiting" : "ended", text];
}
