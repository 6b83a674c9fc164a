// What is said, as entries in their order: events in, changes out. Knows no page.
//
// An utterance is one entry, which grows and is then final. Entries stay where they appeared, so
// that nothing jumps while two people speak.

const MOST = 20_000;
const SAME_S = 0.01;

export const CAUSES = {
  signaling: "the connection to the call was lost",
  media: "a speaker's sound did not arrive",
  network: "the network lost sound",
  engine: "recognition could not keep up",
  shutdown: "the service was restarting",
  client: "no sound came from the microphone",
};

export function gapText({ cause, start, end, lost_s: lost }) {
  const why = CAUSES[cause] ?? "sound was lost";
  if (end === null || end === undefined) return `Words are missing: ${why}.`;
  const seconds = lost || end - start;
  return `Words may be missing (${seconds.toFixed(1)} s): ${why}.`;
}

export class Captions {
  entries = [];
  #byKey = new Map();
  #epoch = null;
  #notices = 0;

  /**
   * Take an event in and return what it changes, each { op, entry, index }, op one of add, change,
   * remove, reset. `fresh` entries are news, others were said before.
   */
  apply(event) {
    switch (event.type) {
      case "snapshot":
        return this.#restart(event);
      case "interim":
        return this.#interim(event);
      case "final":
        // Without words it takes back what was shown: who said it is to be forgotten.
        return event.text ? this.#put({ ...speech(event), final: true }) : this.#remove(speech(event).key);
      case "gap":
        return this.#put(gap(event));
      case "notice":
        return this.note(event.text, event.code);
      default:
        return [];
    }
  }

  /** Add a line of our own. */
  note(text, code = "") {
    this.#notices += 1;
    return this.#put({ kind: "notice", key: `notice ${this.#notices}`, text, code, speaker: {}, final: true });
  }

  /** A new time line begins: what is there stays, what comes has names of its own. */
  begin(epoch) {
    if (this.#epoch !== null && !this.#isSame(epoch)) this.#byKey.clear();
    this.#epoch = epoch;
  }

  /** Whether a time line is the one we have; it may be told with fewer digits. */
  #isSame(epoch) {
    return this.#epoch !== null && Math.abs(this.#epoch - epoch) < SAME_S;
  }

  #interim(event) {
    const entry = { ...speech(event), final: false };
    if (this.#byKey.get(entry.key)?.final) return [];
    return event.text ? this.#put(entry) : this.#remove(entry.key);
  }

  #put(entry) {
    const known = this.#byKey.get(entry.key);
    if (known) {
      const wasFinal = known.final;
      Object.assign(known, entry);
      return [{ op: "change", entry: known, fresh: known.final && !wasFinal }];
    }
    this.#byKey.set(entry.key, entry);
    this.entries.push(entry);
    const changes = [{ op: "add", entry, fresh: entry.final }];
    return this.entries.length > MOST ? [...this.#remove(this.entries[0].key), ...changes] : changes;
  }

  #remove(key) {
    const entry = this.#byKey.get(key);
    if (!entry) return [];
    this.#byKey.delete(key);
    // Nearly always one of the last.
    const index = this.entries.lastIndexOf(entry);
    this.entries.splice(index, 1);
    return [{ op: "remove", entry, index }];
  }

  /** All there is now; what was said before it, and we have, stays above. */
  #restart(snapshot) {
    const fresh = this.#epoch !== null;
    const sameLine = this.#isSame(snapshot.epoch);
    this.begin(snapshot.epoch);
    const said = [...snapshot.finals.map((event) => ({ ...speech(event), final: true })), ...snapshot.gaps.map(gap)];
    said.sort((one, other) => one.start - other.start);
    const growing = snapshot.interims.filter(({ text }) => text).map((event) => ({ ...speech(event), final: false }));
    const now = [...said, ...growing];
    const keys = new Set(now.map(({ key }) => key));
    const had = new Set(this.entries.filter(({ final }) => final).map(({ key }) => key));
    const before = this.entries.filter(({ key, final }) => final && !(sameLine && keys.has(key)));
    this.entries = [...before, ...now];
    this.#byKey = new Map(now.map((entry) => [entry.key, entry]));
    if (sameLine) for (const entry of before) this.#byKey.set(entry.key, entry);
    const news = fresh ? said.filter(({ key }) => !(sameLine && had.has(key))) : [];
    return [{ op: "reset", news }];
  }
}

function speech({ utterance, text, speaker, language, start, end, stable, latency_ms: latency }) {
  return {
    kind: "speech",
    key: `utterance ${utterance}`,
    text,
    speaker: speaker ?? {},
    language: language ?? "",
    start: start ?? 0,
    end,
    stable: stable ?? 0,
    latency,
  };
}

function gap(event) {
  const { start, end, speaker } = event;
  return { kind: "gap", key: `gap ${event.gap}`, text: gapText(event), speaker: speaker ?? {}, start, end, final: true };
}
