// The newest audio, for when the connection breaks: what the service has not heard is sent again.
// Counts in samples from where the microphone began, so nothing is lost to rounding.

export class Ring {
  #pieces = [];
  #most;
  start = 0;
  end = 0;

  constructor(most) {
    this.#most = most;
  }

  push(samples) {
    this.#pieces.push({ start: this.end, samples });
    this.end += samples.length;
    while (this.end - this.start > this.#most) {
      this.start += this.#pieces.shift().samples.length;
    }
  }

  /** What there is from a sample on, as far as it lies in one piece; null at the end. */
  from(sample) {
    const piece = this.#pieces[this.#find(sample)];
    return piece ? piece.samples.subarray(sample - piece.start) : null;
  }

  #find(sample) {
    if (sample < this.start || sample >= this.end) return -1;
    let [low, high] = [0, this.#pieces.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#pieces[middle].start <= sample) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
