/** The line of months beside the grid: it shows where one is in time, and goes there. */

import { h, replace } from "./dom.js";
import { shortMonth } from "./words.js";

const YEAR_APART = 26; // px between two labels
const MONTH_APART = 9; // px between two dots
const CLEAR = 14; // px between a dot and a label
const STAYS_MS = 1400; // on a phone, after scrolling
const NAMED_MS = 700; // after a fast scroll, the month where it came to

/** @typedef {import("./grid.js").Grid} Grid */

export class Scrubber {
  #hiding = 0;
  #naming = 0;
  #dragged = false;

  /**
   * @param {HTMLElement} element
   * @param {Grid} grid
   */
  constructor(element, grid) {
    this.element = element;
    this.grid = grid;
    this.marks = h("div.scrubber-marks", { "aria-hidden": "true" });
    this.label = h("div.scrubber-label", { "aria-hidden": "true" });
    this.thumb = h("div.scrubber-thumb", { "aria-hidden": "true" });
    element.append(this.marks, this.thumb, this.label);
    element.addEventListener("pointerdown", (event) => this.#press(event));
    element.addEventListener("pointermove", (event) => this.#move(event));
    element.addEventListener("pointerup", () => this.#release());
    element.addEventListener("pointercancel", () => this.#release());
    element.addEventListener("pointerleave", () => this.#dragged || this.#hover(null));
    element.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Draw the labels anew, for another layout. */
  draw() {
    const sections = this.#sections;
    const end = this.grid.end;
    const useful = sections.length > 1 && end > this.grid.scroller.clientHeight;
    this.element.hidden = !useful;
    this.grid.scroller.classList.toggle("scrubbed", useful);
    if (!useful) return replace(this.marks);
    this.element.setAttribute("aria-valuemax", String(sections.length - 1));
    const high = this.element.clientHeight;
    const places = sections.map((_, at) => Math.min(1, this.grid.layout.blocks[at].top / end) * high);
    const labelled = spread(sections, places, high);
    /** @type {HTMLElement[]} */
    const drawn = [...labelled].map(([at, label]) =>
      h(
        `span.scrubber-year${label.length === 4 && sections[at].key.startsWith(label) ? ".new" : ""}`,
        { style: { top: `${places[at]}px` } },
        label,
      ),
    );
    let dotted = -Infinity;
    for (const y of places) {
      const clear =
        y - dotted >= MONTH_APART && [...labelled.keys()].every((at) => Math.abs(places[at] - y) >= CLEAR);
      if (!clear) continue;
      drawn.push(h("span.scrubber-dot", { style: { top: `${y}px` } }));
      dotted = y;
    }
    replace(this.marks, ...drawn);
    this.follow();
  }

  /** Show where the grid is. @param {boolean} [fast] whether it scrolls past without pictures */
  follow(fast = false) {
    if (this.element.hidden) return;
    const { scroller, end } = this.grid;
    const share = end ? Math.min(1, scroller.scrollTop / end) : 0;
    this.thumb.style.transform = `translateY(${share * this.element.clientHeight}px)`;
    const at = this.grid.sectionAt(scroller.scrollTop + 1);
    this.element.setAttribute("aria-valuenow", String(at));
    this.element.setAttribute("aria-valuetext", this.#sections[at]?.title ?? "");
    if (fast) this.#name();
    if (this.#dragged || this.#naming) this.#say(share * this.element.clientHeight, at);
    this.element.classList.add("awake");
    clearTimeout(this.#hiding);
    this.#hiding = setTimeout(() => this.#dragged || this.element.classList.remove("awake"), STAYS_MS);
  }

  /** While no picture can be seen, the month says where one is. */
  #name() {
    this.element.classList.add("named");
    clearTimeout(this.#naming);
    this.#naming = setTimeout(() => {
      this.#naming = 0;
      this.element.classList.remove("named");
    }, NAMED_MS);
  }

  get #sections() {
    const answer = this.grid.answer;
    return answer?.asked.listing ? answer.sections : [];
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button) return;
    event.preventDefault();
    this.element.focus({ preventScroll: true });
    this.element.setPointerCapture(event.pointerId);
    this.#dragged = true;
    this.element.classList.add("dragged");
    this.#go(event);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (this.#dragged) this.#go(event);
    else if (event.pointerType === "mouse") this.#hover(event);
  }

  #release() {
    this.#dragged = false;
    this.element.classList.remove("dragged");
    this.#hover(null);
    this.follow();
  }

  /** @param {PointerEvent} event */
  #go(event) {
    this.grid.scroller.scrollTop = this.#share(event) * this.grid.end;
  }

  /** @param {PointerEvent} event */
  #share({ clientY }) {
    const { top, height } = this.element.getBoundingClientRect();
    return Math.min(1, Math.max(0, (clientY - top) / height));
  }

  /** Say which month is below the pointer. @param {PointerEvent | null} event */
  #hover(event) {
    this.element.classList.toggle("hovered", event !== null);
    if (!event) return;
    const share = this.#share(event);
    this.#say(share * this.element.clientHeight, this.grid.sectionAt(share * this.grid.end + 1));
  }

  /** @param {number} y @param {number} section */
  #say(y, section) {
    this.label.textContent = this.#sections[section]?.title ?? "";
    const highest = this.element.clientHeight - 16;
    this.label.style.transform = `translateY(${Math.min(Math.max(y, 16), highest)}px)`;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const at = this.grid.sectionAt(this.grid.scroller.scrollTop + 1);
    const last = this.#sections.length - 1;
    /** @type {Record<string, number>} */
    const steps = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + 12,
      PageUp: at - 12,
      Home: 0,
      End: last,
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const block = this.grid.layout.blocks[Math.min(last, Math.max(0, next))];
    this.grid.scroller.scrollTop = block.top;
  }
}

/**
 * Sections with their labels, as far as these don't lie upon each other: years first, then months.
 * @param {Section[]} sections
 * @param {number[]} places of the sections, px
 * @param {number} high
 */
function spread(sections, places, high) {
  /** @type {Map<number, string>} */
  const labels = new Map();
  /** @param {number} at @param {string} label */
  const put = (at, label) => {
    const free = [...labels.keys()].every((one) => Math.abs(places[one] - places[at]) >= YEAR_APART);
    if (free && places[at] < high - 4) labels.set(at, label);
  };
  sections.forEach(({ key }, at) => {
    if (at === 0 || key.slice(0, 4) !== sections[at - 1].key.slice(0, 4)) put(at, key.slice(0, 4));
  });
  sections.forEach(({ key }, at) => {
    if (key.length > 4) put(at, shortMonth(Number(key.slice(5))));
  });
  return labels;
}
