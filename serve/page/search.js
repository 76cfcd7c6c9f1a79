/** The search field with its suggestions: a combobox, so the focus stays in the field. */

import * as api from "./api.js";
import { byId, h, replace } from "./dom.js";

const PAUSE_MS = 90; // in typing, before suggestions are asked for

export class Search {
  /** @type {SuggestionPart[]} */
  #parts = [];
  #at = -1;
  #timer = 0;
  #aborter = new AbortController();

  /**
   * @param {(line: string) => void} ask
   * @param {(id: number) => void} open
   */
  constructor(ask, open) {
    this.ask = ask;
    this.open = open;
    this.form = byId("search");
    this.field = /** @type {HTMLInputElement} */ (byId("line"));
    this.list = byId("suggestions");
    this.error = byId("line-error");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    byId("clear").addEventListener("click", () => {
      this.field.value = "";
      this.#typed();
      this.#submit();
      this.field.focus();
    });
    this.field.addEventListener("input", () => this.#typed());
    this.field.addEventListener("click", () => this.list.hidden && this.#soon());
    this.field.addEventListener("keydown", (event) => this.#key(event));
    this.field.addEventListener("blur", () => this.#close());
    // the field keeps the focus
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = /** @type {Element} */ (event.target).closest("[role=option]");
      if (option) this.#take([...this.list.children].indexOf(option));
    });
  }

  /** @param {string} line */
  set line(line) {
    if (this.field.value.trim() !== line) this.field.value = line; // a blank behind it may be typed on
    this.#mark();
  }

  /** Go into the field, with all of it selected. */
  enter() {
    this.field.focus();
    this.field.select();
    this.#soon();
  }

  /** Say what is wrong with the line, and select it there. @param {Asked["error"]} error */
  complain(error) {
    this.error.hidden = !error;
    const corrected = error?.corrected;
    replace(
      this.error,
      error?.sentence,
      corrected &&
        h("button.text", { type: "button", onclick: () => this.ask(corrected) }, `Search for ${corrected}`),
    );
    this.field.toggleAttribute("aria-invalid", Boolean(error));
    if (error?.position && document.activeElement === this.field)
      this.field.setSelectionRange(...error.position);
  }

  #submit() {
    this.#close();
    if (matchMedia("(hover: none)").matches) this.field.blur(); // the keyboard of a phone hides the answer
    this.ask(this.field.value.trim());
  }

  #typed() {
    this.#mark();
    this.complain(null);
    this.#soon();
  }

  #mark() {
    this.form.classList.toggle("filled", this.field.value !== "");
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#suggest(), PAUSE_MS);
  }

  async #suggest() {
    this.#aborter.abort();
    this.#aborter = new AbortController();
    const { value, selectionStart } = this.field;
    try {
      const parts = await api.suggest(value, selectionStart ?? value.length, this.#aborter.signal);
      if (document.activeElement === this.field && this.field.value === value) this.#show(parts);
    } catch {
      this.#close(); // suggestions are a help that may be missing
    }
  }

  /** @param {SuggestionPart[]} parts */
  #show(parts) {
    this.#parts = parts;
    replace(
      this.list,
      ...parts.map(({ shown, meaning, picture }, index) =>
        h(
          "li",
          { role: "option", id: `suggestion-${index}`, "aria-selected": "false" },
          picture !== undefined && h("img", { src: api.thumbnail(picture, 200), alt: "" }),
          h("span.suggestion-shown", {}, shown),
          meaning && h("span.suggestion-meaning", {}, meaning),
        ),
      ),
    );
    this.list.hidden = !parts.length;
    this.field.setAttribute("aria-expanded", String(Boolean(parts.length)));
    this.#choose(-1);
  }

  #close() {
    clearTimeout(this.#timer);
    this.#aborter.abort();
    this.#show([]);
  }

  /** @param {number} at -1: the typed line itself */
  #choose(at) {
    this.#at = at;
    [...this.list.children].forEach((row, index) => row.setAttribute("aria-selected", String(index === at)));
    if (at < 0) return this.field.removeAttribute("aria-activedescendant");
    this.field.setAttribute("aria-activedescendant", `suggestion-${at}`);
    this.list.children[at].scrollIntoView({ block: "nearest" });
  }

  /** Put a suggestion into the line; after a field's name its values follow. @param {number} at */
  #take(at) {
    const { text, start, end, picture } = this.#parts[at];
    if (picture !== undefined) {
      this.#close();
      return this.open(picture);
    }
    const unfinished = text.endsWith(":");
    const after = this.field.value.slice(end);
    const instead = unfinished || after.startsWith(" ") ? text : `${text} `;
    this.field.value = this.field.value.slice(0, start) + instead + after;
    this.field.setSelectionRange(start + instead.length, start + instead.length);
    this.#close();
    this.#mark();
    this.complain(null);
    if (unfinished) this.#suggest();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing) return;
    const count = this.#parts.length;
    if (event.key === "ArrowDown" && !count) this.#suggest();
    else if (event.key === "ArrowDown") this.#choose(this.#at + 1 < count ? this.#at + 1 : -1);
    else if (event.key === "ArrowUp" && count) this.#choose(this.#at < 0 ? count - 1 : this.#at - 1);
    else if (event.key === "Enter" && this.#at >= 0) this.#take(this.#at);
    else if (event.key === "Tab" && !event.shiftKey && this.#at >= 0) this.#take(this.#at);
    else if (event.key === "Escape" && count) this.#close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
