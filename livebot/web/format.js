// Numbers and times as people read them.

const two = (number) => String(number).padStart(2, "0");

/** Seconds as 1:02:03 or 2:03. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Seconds in words: 0.8 s, 12 s, 3 min, 2 h 5 min. */
export function length(seconds) {
  if (seconds < 9.95) return `${(Math.round(seconds * 10) / 10).toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}

/** Bytes as 3.4 MB. */
export function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** A time, in seconds since 1970 or as ISO 8601 has it, in the browser's language. */
export function moment(time) {
  return new Date(typeof time === "number" ? time * 1000 : time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

export const percent = (part, whole) => (whole > 0 ? Math.min(100, Math.floor((100 * part) / whole)) : 0);
