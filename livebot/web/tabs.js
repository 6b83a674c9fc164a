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
    return this.#tabs.map((tab) => tab.dataset.name);
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
    const at = this.#tabs.indexOf(document.activeElement);
    const count = this.#tabs.length;
    const back = getComputedStyle(event.currentTarget).direction === "rtl" ? 1 : -1;
    const to = { ArrowLeft: at + back, ArrowRight: at - back, Home: 0, End: count - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    this.#go(this.#tabs[(to + count) % count]);
  }
}
