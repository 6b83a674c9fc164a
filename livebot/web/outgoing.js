// Audio on its way to the service, and what is kept of it should the connection break.

import { Ring } from "./ring.js";

const KEPT_S = 120;
const MOST_WAITING = 400;

/** Raw samples: whatever the service has not taken is sent again. */
export class Samples {
  #ring;
  #next = 0;
  #zero = 0;

  constructor(rate) {
    this.rate = rate;
    this.#ring = new Ring(rate * KEPT_S);
  }

  get query() {
    return { encoding: "pcm_s16le", rate: this.rate, channels: 1 };
  }

  /** Seconds that still have to be sent. */
  get waiting() {
    return (this.#ring.end - this.#next) / this.rate;
  }

  push(samples) {
    this.#ring.push(samples);
  }

  /** A new session: its time line begins where `told` words ended on the one before. */
  renew(told) {
    this.#zero = Math.max(this.#ring.start, this.#zero + Math.round(told * this.rate));
    this.#next = this.#zero;
  }

  /** Go on at a place of the time line; returns the place where it really goes on. */
  resume(position) {
    const wanted = this.#zero + Math.round(position * this.rate);
    this.#next = Math.min(this.#ring.end, Math.max(this.#ring.start, wanted));
    return this.#next > wanted ? (this.#next - this.#zero) / this.rate : position;
  }

  /** What to send next; null where there is nothing. A gap is sent as `skip`. */
  take() {
    if (this.#next < this.#ring.start) {
      this.#next = this.#ring.start;
      return { skip: (this.#next - this.#zero) / this.rate };
    }
    const piece = this.#ring.from(this.#next);
    if (!piece) return null;
    this.#next += piece.length;
    return { data: piece };
  }
}

/** What MediaRecorder makes: it cannot be cut, so a new connection begins a new recording. */
export class Recorded {
  #restart;
  #waiting = [];
  #began = performance.now();

  constructor({ encoding, restart }) {
    this.encoding = encoding;
    this.#restart = restart;
  }

  get query() {
    return { encoding: this.encoding };
  }

  get waiting() {
    return 0;
  }

  push(blob) {
    // Without its beginning nobody can read the rest; so it is all, or anew.
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push(blob);
  }

  renew() {
    this.#began = performance.now();
    this.#anew();
  }

  resume(position) {
    this.#anew();
    return Math.max(position, (performance.now() - this.#began) / 1000);
  }

  take() {
    const data = this.#waiting.shift();
    return data ? { data } : null;
  }

  #anew() {
    this.#waiting = [];
    this.#restart();
  }
}
