// When to try again: sooner at first, then every few seconds, and at once when the network is back.

const FIRST_MS = 500;
const MOST_MS = 8000;

export class Backoff {
  #tries = 0;

  get tries() {
    return this.#tries;
  }

  reset() {
    this.#tries = 0;
  }

  /** The next delay; spread, so that not all pages of a service that comes back ask at once. */
  next() {
    const delay = Math.min(MOST_MS, FIRST_MS * 2 ** this.#tries);
    this.#tries += 1;
    return delay * (0.75 + Math.random() / 2);
  }

  /** Wait; ends early when the network is back, or the signal aborts. */
  async wait(signal) {
    const until = new AbortController();
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, this.next());
      const early = () => {
        clearTimeout(timer);
        resolve();
      };
      addEventListener("online", early, { once: true, signal: until.signal });
      signal?.addEventListener("abort", early, { once: true });
      if (signal?.aborted) early();
    });
    until.abort();
  }
}
