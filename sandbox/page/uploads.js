/** Files that will be posted: previews, a spoiler switch, and a button to remove them. */

import { formatBytes } from "./attachments.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";

/** @typedef {{ file: File, spoiler: boolean, address: string }} Waiting */

const MAX_FILES = 10; // Discord's limit for a message

export class Uploads {
  /** @type {Waiting[]} */
  #waiting = [];

  /**
   * changed(): called when the list changes.
   * @param {() => void} changed
   */
  constructor(changed) {
    this.changed = changed;
    this.element = h("ul.uploads", { "aria-label": "Files to post", hidden: true });
  }

  get size() {
    return this.#waiting.length;
  }

  /**
   * Add files; returns a sentence about those that don't fit, or null.
   * @param {File[]} files
   */
  add(files) {
    const room = MAX_FILES - this.#waiting.length;
    for (const file of files.slice(0, room)) {
      this.#waiting.push({ file: named(file), spoiler: false, address: URL.createObjectURL(file) });
    }
    this.#draw();
    return files.length > room ? `A message carries at most ${MAX_FILES} files.` : null;
  }

  /** The files to send, in order. As in Discord's clients, a spoiler has a prefix in its name. */
  take() {
    const files = this.#waiting.map(({ file, spoiler }) =>
      spoiler ? new File([file], `SPOILER_${file.name}`, { type: file.type }) : file,
    );
    this.clear();
    return files;
  }

  clear() {
    for (const { address } of this.#waiting) URL.revokeObjectURL(address);
    this.#waiting = [];
    this.#draw();
  }

  #draw() {
    this.element.hidden = !this.#waiting.length;
    replace(this.element, ...this.#waiting.map((waiting) => this.#card(waiting)));
    this.changed();
  }

  /** @param {Waiting} waiting */
  #card(waiting) {
    const { file, spoiler, address } = waiting;
    const preview = file.type.startsWith("image/")
      ? h("img", { src: address, alt: "", class: spoiler ? "blurred" : "" })
      : h("span.upload-file", {}, icon("file"));
    const toggle = () => {
      waiting.spoiler = !spoiler;
      this.#draw();
    };
    const drop = () => {
      URL.revokeObjectURL(address);
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
      this.#draw();
    };
    return h(
      "li.upload",
      {},
      h("div.upload-preview", {}, preview, spoiler && h("span.spoiler-badge", {}, "Spoiler")),
      h("p", { title: file.name }, file.name, h("small", {}, formatBytes(file.size))),
      h(
        "div.upload-tools",
        {},
        h(
          "button",
          {
            type: "button",
            "aria-pressed": String(spoiler),
            "aria-label": `Mark ${file.name} as a spoiler`,
            title: spoiler ? "Not a spoiler" : "Mark as spoiler",
            onclick: toggle,
          },
          icon(spoiler ? "eye" : "hidden"),
        ),
        h(
          "button.danger",
          { type: "button", "aria-label": `Remove ${file.name}`, title: "Remove", onclick: drop },
          icon("trash"),
        ),
      ),
    );
  }
}

/**
 * The file with a name: pasted pictures may have none.
 * @param {File} file
 */
function named(file) {
  if (file.name) return file;
  const ending = file.type.split("/")[1] ?? "bin";
  return new File([file], `pasted.${ending}`, { type: file.type });
}
