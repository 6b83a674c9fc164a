// How the page looks: size of the text and contrast, remembered on this device.

const STORE = "livebot.looks";
const MOST = 4;
const root = document.documentElement;

function load() {
  try {
    const { size, contrast } = JSON.parse(localStorage.getItem(STORE)) ?? {};
    return { size: Number.isInteger(size) ? Math.min(MOST, Math.max(1, size)) : 2, contrast: contrast === true };
  } catch {
    return { size: 2, contrast: false };
  }
}

export function startLooks({ smaller, larger, contrast, shown }) {
  const looks = load();
  const apply = () => {
    root.dataset.size = looks.size;
    root.classList.toggle("more-contrast", looks.contrast);
    contrast.ariaPressed = String(looks.contrast);
    // Not disabled: the focus would be lost at the end of the scale.
    smaller.ariaDisabled = String(looks.size === 1);
    larger.ariaDisabled = String(looks.size === MOST);
    shown.textContent = `Text size ${looks.size} of ${MOST}`;
  };
  const change = (by) => {
    looks.size = Math.min(MOST, Math.max(1, looks.size + by));
    keep();
  };
  const keep = () => {
    apply();
    try {
      localStorage.setItem(STORE, JSON.stringify(looks));
    } catch {
      // The browser keeps nothing: then it is for now only.
    }
  };
  smaller.addEventListener("click", () => change(-1));
  larger.addEventListener("click", () => change(1));
  contrast.addEventListener("click", () => {
    looks.contrast = !looks.contrast;
    keep();
  });
  apply();
}
