/** The list above the composer: commands, members, choices. The field keeps the focus, and the arrow keys choose. */

import { h, replace } from "./dom.js";

let lists = 0;

export class Suggestions {
  /** @type {Suggestion[]} */
  #items = [];
  #at = 0;
  /** @type {((item: Suggestion) => void) | null} */
  #choose = null;
  /** @type {HTMLElement | null} */
  #field = null;

  constructor() {
    this.id = `suggestions-${(lists += 1)}`;
    this.element = h("div.suggestions", {
      id: this.id,
      role: "listbox",
      "aria-label": "Suggestions",
      hidden: true,
    });
    // the field keeps the focus
    this.element.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  get open() {
    return !this.element.hidden;
  }

  /** The item that Enter would choose. */
  get current() {
    return this.#items[this.#at];
  }

  /**
   * Show items for a field. item: {label, detail?, face?: Node, hint?, note?: true, data}; a note cannot be chosen.
   * `choose(item)` is called for Enter, Tab or a click.
   * @param {HTMLElement} field
   * @param {{ title: string, items: Suggestion[], choose: (item: Suggestion) => void, empty?: string | null }} options
   */
  show(field, { title, items, choose, empty = null }) {
    if (!items.length && !empty) return this.hide();
    this.#field = field;
    this.#items = items;
    this.#choose = choose;
    this.#at = 0;
    replace(
      this.element,
      ...(title ? [h("p.suggestions-title", { role: "presentation" }, title)] : []),
      ...items.map((item, index) => this.#row(item, index)),
      ...(items.length ? [] : [h("p.suggestions-empty", { role: "status" }, empty)]),
    );
    this.element.hidden = false;
    field.setAttribute("aria-controls", this.id);
    this.#mark();
  }

  hide() {
    this.element.hidden = true;
    replace(this.element);
    this.#items = [];
    this.#field?.removeAttribute("aria-activedescendant");
    this.#field?.removeAttribute("aria-controls");
    this.#field = null;
  }

  /**
   * Handle the keys of the list; `passEnter` leaves Enter alone. True when the key was one of them.
   * @param {KeyboardEvent} event
   * @param {{ passEnter?: boolean }} [options]
   */
  key(event, { passEnter = false } = {}) {
    if (!this.open || (passEnter && event.key === "Enter")) return false;
    if (event.key === "Escape") return this.#taken(event, () => this.hide());
    if (!this.#items.length) return false;
    const last = this.#items.length - 1;
    if (event.key === "ArrowDown")
      return this.#taken(event, () => this.#move(this.#at === last ? 0 : this.#at + 1));
    if (event.key === "ArrowUp")
      return this.#taken(event, () => this.#move(this.#at === 0 ? last : this.#at - 1));
    const chooses = event.key === "Tab" ? !event.shiftKey : event.key === "Enter" && !event.shiftKey;
    if (chooses) return this.#taken(event, () => this.#choose?.(this.#items[this.#at]));
    return false;
  }

  /**
   * @param {KeyboardEvent} event
   * @param {() => void} act
   */
  #taken(event, act) {
    event.preventDefault();
    event.stopPropagation();
    act();
    return true;
  }

  /** @param {number} index */
  #move(index) {
    this.#at = index;
    this.#mark();
  }

  #mark() {
    const rows = [...this.element.querySelectorAll("[role=option]")];
    rows.forEach((row, index) => row.setAttribute("aria-selected", String(index === this.#at)));
    rows[this.#at]?.scrollIntoView({ block: "nearest" });
    if (rows.length) this.#field?.setAttribute("aria-activedescendant", `${this.id}-${this.#at}`);
  }

  /**
   * @param {Suggestion} item
   * @param {number} index
   */
  #row(item, index) {
    return h(
      "div.suggestion",
      {
        role: "option",
        id: `${this.id}-${index}`,
        "aria-selected": "false",
        onclick: () => this.#choose?.(item),
        onpointermove: () => this.#at !== index && this.#move(index),
      },
      item.face,
      h("span.suggestion-label", {}, item.label, item.hint && h("span.suggestion-hint", {}, item.hint)),
      item.detail && h("small", {}, item.detail),
    );
  }
}
