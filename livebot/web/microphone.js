// The microphone: raw samples from an AudioWorklet; where there is none, what MediaRecorder makes.

const PIECE_MS = 250;
const CONSTRAINTS = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };

const WHY = {
  NotAllowedError: "The browser may not use the microphone. Allow it for this page, then start again.",
  NotFoundError: "There is no microphone.",
  NotReadableError: "The microphone is in use by another program.",
};

/**
 * Open it. Returns { rate, stop() }, or { encoding, restart(), stop() } from MediaRecorder.
 *
 * @param onaudio Gets each piece: Int16Array, or Blob.
 * @param onlevel Gets the loudest sample of each piece, 0 to 1.
 * @param onend Called when the microphone is taken away.
 */
export async function openMicrophone({ onaudio, onlevel, onend }) {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Error("Browsers give a page the microphone only over https, or on this machine as localhost.");
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: CONSTRAINTS });
  } catch (error) {
    throw new Error(WHY[error.name] ?? `The microphone cannot be used: ${error.message}`);
  }
  for (const track of stream.getTracks()) track.addEventListener("ended", onend);
  try {
    return globalThis.AudioWorkletNode
      ? await byWorklet(stream, onaudio, onlevel)
      : byRecorder(stream, onaudio);
  } catch (error) {
    end(stream);
    throw error;
  }
}

function end(stream) {
  for (const track of stream.getTracks()) track.stop();
}

async function byWorklet(stream, onaudio, onlevel) {
  const context = new AudioContext();
  await context.audioWorklet.addModule(new URL("./worklet.js", import.meta.url));
  const capture = new AudioWorkletNode(context, "livebot-capture", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
  capture.port.addEventListener("message", ({ data }) => {
    onlevel(data.peak);
    onaudio(data.samples);
  });
  capture.port.start();
  context.createMediaStreamSource(stream).connect(capture);
  await context.resume();
  return {
    rate: context.sampleRate,
    async stop() {
      end(stream);
      capture.port.close();
      await context.close();
    },
  };
}

function byRecorder(stream, onaudio) {
  const mimeType = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus"].find((type) => MediaRecorder.isTypeSupported(type));
  if (!mimeType) throw new Error("This browser cannot record sound in a form that the service understands.");
  let recorder = null;
  // Each recording begins with a head that says what it is.
  const restart = () => {
    if (recorder && recorder.state !== "inactive") {
      recorder.ondataavailable = null;
      recorder.stop();
    }
    recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: 32_000 });
    recorder.ondataavailable = ({ data }) => data.size && onaudio(data);
    recorder.start(PIECE_MS);
  };
  return {
    encoding: mimeType.includes("webm") ? "webm" : "ogg",
    restart,
    async stop() {
      const stopped = new Promise((resolve) => recorder?.addEventListener("stop", resolve, { once: true }) ?? resolve());
      if (recorder && recorder.state !== "inactive") recorder.stop();
      else return end(stream);
      await stopped;
      return end(stream);
    },
  };
}
