// Tabs, as the ARIA practices have them: arrows move, Home and End too; the address says which.

export class Tabs {
  #tabs;
  #onshow;

  constructor(list, onshow) {
    this.#tabs = [...list.querySelectorAll("[role=tab]")];
    this.#onshow = onshow;
    list.addEventListener("click", (event) => {
      const tab = event.target.closest("[role=tab]");
      if (tab) this.#go(tab);
    });
    list.addEventListener("keydown", (event) => this.#key(event));
  }

  get names() {
    return this.#offered.map((tab) => tab.dataset.name);
  }

  get #offered() {
    return this.#tabs.filter((tab) => !tab.hidden);
  }

  /** Offer one of the tabs, or not. */
  offer(name, on) {
    this.#tabs.find((tab) => tab.dataset.name === name).hidden = !on;
  }

  show(name) {
    for (const tab of this.#tabs) {
      const on = tab.dataset.name === name;
      tab.ariaSelected = String(on);
      tab.tabIndex = on ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !on;
    }
    this.#onshow(name);
  }

  #go(tab) {
    tab.focus();
    location.hash = tab.dataset.name;
  }

  #key(event) {
    const tabs = this.#offered;
    const at = tabs.indexOf(document.activeElement);
    const count = tabs.length;
    const back = getComputedStyle(event.currentTarget).direction === "rtl" ? 1 : -1;
    const to = { ArrowLeft: at + back, ArrowRight: at - back, Home: 0, End: count - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    this.#go(tabs[(to + count) % count]);
  }
}
