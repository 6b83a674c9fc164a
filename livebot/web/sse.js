// Server-sent events out of a stream of bytes: EventSource cannot show a key.

/** Takes text in pieces and gives messages out: { event, id, data }. */
export class Parser {
  #rest = "";
  #fields = {};

  feed(text) {
    const found = [];
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop();
    for (const line of lines) {
      const plain = line.endsWith("\r") ? line.slice(0, -1) : line;
      if (plain === "") this.#finish(found);
      else this.#take(plain);
    }
    return found;
  }

  #take(line) {
    const colon = line.indexOf(":");
    if (colon === 0) return; // a comment: the other side is still there
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data" && "data" in this.#fields) this.#fields.data += `\n${value}`;
    else this.#fields[name] = value;
  }

  #finish(found) {
    const { event = "message", id = "", data } = this.#fields;
    this.#fields = {};
    if (data !== undefined) found.push({ event, id, data });
  }
}

/** Yield what a body tells, decoded from JSON. */
export async function* messages(body) {
  const parser = new Parser();
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const { data } of parser.feed(value)) yield JSON.parse(data);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
