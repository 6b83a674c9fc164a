// Laws of the page's modules that know no page; each says "holds", or what does not.
({
  dice() {
    let state = 7;
    return (below) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
  },

  /** However messages are cut into pieces on their way, they come out whole. */
  async messages() {
    const { Parser } = await import("./assets/sse.js");
    const roll = this.dice();
    for (let turn = 0; turn < 200; turn += 1) {
      const told = Array.from({ length: 1 + roll(5) }, (_, id) => ({
        event: `e${roll(9)}`,
        id: String(id),
        data: JSON.stringify({ text: `ä\n: ${roll(99)}` }),
      }));
      const ending = roll(2) ? "\r\n" : "\n";
      const text = told
        .map(({ id, event, data }) => [": comment", `id: ${id}`, `event: ${event}`, `data: ${data}`, "", ""].join(ending))
        .join("");
      const parser = new Parser();
      const found = [];
      for (let at = 0; at < text.length; ) {
        const next = at + 1 + roll(12);
        found.push(...parser.feed(text.slice(at, next)));
        at = next;
      }
      if (JSON.stringify(found) !== JSON.stringify(told)) return { turn, found, told };
    }
    return "holds";
  },

  /** Whatever is pushed, taken and asked for again: the next sample is always the right one. */
  async audio() {
    const { Samples } = await import("./assets/outgoing.js");
    const roll = this.dice();
    const rate = 10; // so that 1200 samples are kept
    for (let turn = 0; turn < 300; turn += 1) {
      const audio = new Samples(rate);
      let [pushed, at] = [0, 0];
      const wrong = [];
      const take = () => {
        for (let piece = audio.take(); piece; piece = audio.take()) {
          if (piece.data === undefined) at = Math.round(piece.skip * rate);
          else {
            for (const value of piece.data) {
              if (value !== at % 30000) wrong.push([value, at]);
              at += 1;
            }
          }
        }
      };
      for (let step = 0; step < 40; step += 1) {
        const from = pushed;
        pushed += roll(90);
        audio.push(Int16Array.from({ length: pushed - from }, (_, number) => (from + number) % 30000));
        if (roll(3)) take();
        if (!roll(6)) {
          const wanted = roll(at + 1);
          at = Math.round(audio.resume(wanted / rate) * rate);
          if (at > Math.max(wanted, pushed - 1200 + 90)) wrong.push(["too far", at, wanted]);
        }
      }
      take();
      if (wrong.length || at !== pushed || audio.waiting !== 0) return { turn, wrong, at, pushed };
    }
    return "holds";
  },

  /** Who reads all and who comes and goes have the same in the end. */
  async captions() {
    const { Captions } = await import("./assets/captions.js");
    const roll = this.dice();
    const names = (captions, isFinal) =>
      captions.entries.filter(({ final }) => final === isFinal).map(({ key }) => key).sort().join();
    for (let turn = 0; turn < 200; turn += 1) {
      const [always, sometimes] = [new Captions(), new Captions()];
      const finals = [];
      const growing = new Map();
      const snapshot = () => ({ type: "snapshot", epoch: 1.25, finals: [...finals], gaps: [], interims: [...growing.values()] });
      always.apply(snapshot());
      sometimes.apply(snapshot());
      let away = false;
      for (let step = 0; step < 60; step += 1) {
        const utterance = `u${roll(20)}`;
        if (finals.some((final) => final.utterance === utterance)) continue;
        const type = roll(3) ? "interim" : "final";
        const text = type === "final" || roll(5) ? `${utterance} ${step}` : "";
        const event = { type, utterance, text, start: finals.length, speaker: { id: "s", name: "S" } };
        if (type === "final") finals.push(event);
        if (type === "interim" && text) growing.set(utterance, event);
        else growing.delete(utterance);
        always.apply(event);
        if (!away) sometimes.apply(event);
        if (!roll(9)) {
          if (away) sometimes.apply(snapshot());
          away = !away;
        }
      }
      sometimes.apply(snapshot());
      const key = (utterance) => `utterance ${utterance}`;
      const said = finals.map(({ utterance }) => key(utterance)).sort().join();
      const still = [...growing.keys()].map(key).sort().join();
      for (const captions of [always, sometimes]) {
        if (names(captions, true) !== said) return { turn, has: names(captions, true), said };
        if (names(captions, false) !== still) return { turn, has: names(captions, false), still };
      }
    }
    return "holds";
  },

  /** Numbers as people read them. */
  async numbers() {
    const { clock, length, size, percent } = await import("./assets/format.js");
    const found = [
      clock(0.9), clock(123), clock(3723), length(0.84), length(12.2), length(180), length(7500),
      size(999), size(1000), size(3_400_000), percent(1, 0), percent(1, 3), percent(4, 3),
    ];
    const wanted = [
      "0:00", "2:03", "1:02:03", "0.8 s", "12 s", "3 min", "2 h 5 min",
      "999 bytes", "1.0 kB", "3.4 MB", 0, 33, 100,
    ];
    return JSON.stringify(found) === JSON.stringify(wanted) ? "holds" : found;
  },
})
