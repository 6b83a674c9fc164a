// In the browser's audio thread: samples become 16 bits, and go out ten times a second.

const PER_SECOND = 10;

class Capture extends AudioWorkletProcessor {
  #samples = new Int16Array(Math.round(sampleRate / PER_SECOND));
  #filled = 0;
  #peak = 0;

  process([[channel]]) {
    if (!channel) return true;
    for (const value of channel) {
      const limited = Math.max(-1, Math.min(1, value));
      this.#peak = Math.max(this.#peak, Math.abs(limited));
      this.#samples[this.#filled] = Math.round(limited * 32767);
      this.#filled += 1;
      if (this.#filled === this.#samples.length) this.#send();
    }
    return true;
  }

  #send() {
    const samples = this.#samples;
    // What is handed over is empty here afterwards.
    this.#samples = new Int16Array(samples.length);
    this.port.postMessage({ samples, peak: this.#peak }, [samples.buffer]);
    this.#filled = this.#peak = 0;
  }
}

registerProcessor("livebot-capture", Capture);
