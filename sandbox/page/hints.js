/** Things to try, for a first visit. Each hint puts a text into the composer. */

import { h, replace } from "./dom.js";
import { icon, magpie } from "./icons.js";
import { toast } from "./toast.js";

const DISMISSED = "magpie.hints"; // in localStorage: dismissed hints don't come back

/** The panel above the composer. parts: {composer, messages}. */
export class Hints {
  /** @param {{ composer: Composer, messages: MessageList }} parts */
  constructor({ composer, messages }) {
    this.composer = composer;
    this.messages = messages;
    this.element = h("div.hints-place");
  }

  /**
   * Show the hints when they fit, until they are dismissed.
   * @param {boolean} fits
   */
  show(fits) {
    if (!fits || localStorage.getItem(DISMISSED)) replace(this.element);
    else if (!this.element.firstChild) this.#draw();
  }

  toggle() {
    if (this.element.firstChild) replace(this.element);
    else this.#draw();
  }

  #dismiss() {
    localStorage.setItem(DISMISSED, "seen");
    replace(this.element);
  }

  #draw() {
    /**
     * @param {IconName} name
     * @param {string} words
     * @param {() => void} run
     */
    const hint = (name, words, run) =>
      h("li", {}, h("button", { type: "button", onclick: run }, icon(name), words));
    const close = {
      type: "button",
      "aria-label": "Close the hints",
      title: "Close",
      onclick: () => this.#dismiss(),
    };
    const panel = h(
      "aside.hints",
      { "aria-label": "Things to try" },
      magpie(26),
      h("b", {}, "Try"),
      h(
        "ul",
        {},
        hint("search", "/find dog in snow", () => this.composer.fill("/find dog in snow")),
        hint("picture", "/find with a picture", () => this.composer.fill("/find image:")),
        hint("apps", "Right-click → Find similar", () => this.#pointAtPicture()),
        hint("reply", "Reply with @Magpie", () => this.#replyToPicture()),
      ),
      h("button.plain", close, icon("close")),
    );
    replace(this.element, panel);
  }

  #pointAtPicture() {
    this.#withPicture((_message, tile) => {
      const box = tile.getBoundingClientRect();
      const at = { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 };
      tile.dispatchEvent(
        new MouseEvent("contextmenu", { ...at, button: 2, bubbles: true, cancelable: true }),
      );
    });
  }

  #replyToPicture() {
    this.#withPicture((message) => {
      this.composer.replyTo(message);
      this.composer.fill("@Magpie ");
    });
  }

  /**
   * Use the latest picture that was posted in the open channel.
   * @param {(message: Message, tile: HTMLElement) => void} use
   */
  #withPicture(use) {
    /** @type {NodeListOf<HTMLElement>} */
    const tiles = this.messages.list.querySelectorAll(".message:not(.answer) .tile[data-key]");
    const tile = [...tiles].at(-1);
    /** @type {HTMLElement | null | undefined} */
    const row = tile?.closest(".message");
    const message = row && this.messages.find(row.dataset.id ?? "");
    if (!tile || !message) return toast("There is no picture in this channel: try another one.");
    tile.scrollIntoView({ block: "center" });
    requestAnimationFrame(() => use(message, tile));
  }
}
