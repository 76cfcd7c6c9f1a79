/** The bar below the search: what narrows and orders the pictures, and the pictures that steer the search. */

import * as api from "./api.js";
import { byId, h, replace } from "./dom.js";
import { calendar, folderTree } from "./filters.js";
import { icon } from "./icons.js";
import { choice, panel } from "./menu.js";
import { ranks } from "./question.js";
import { lastPart, spanOf } from "./words.js";

/** @type {Record<Sort, string>} */
const SORTS = { best: "Best first", newest: "Newest first", oldest: "Oldest first" };

/**
 * @typedef {object} Wishes
 * @property {() => GalleryInfo} gallery
 * @property {() => Question} question
 * @property {(change: Partial<Question>) => void} change
 */

export class Bar {
  /** @param {Wishes} wishes */
  constructor(wishes) {
    this.wishes = wishes;
    /** Addresses of pictures that were dropped, by their names on the server. @type {Map<string, string>} */
    this.uploads = new Map();
    const { gallery, question, change } = wishes;
    this.folder = panel(byId("folder"), "Folder", () => [
      folderTree(gallery(), question().folder, (folder) => {
        this.folder.close();
        change({ folder });
      }),
    ]);
    this.date = panel(byId("date"), "Date", () => [
      calendar(gallery(), question(), (since, until) => {
        change({ since, until });
        const month = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset.month;
        this.date.draw();
        /** @type {HTMLElement | null} */ (
          this.date.element.querySelector(`[data-month="${month}"]`)
        )?.focus();
      }),
    ]);
    this.sort = panel(byId("sort"), "Order", () => [
      h("div.choices", { role: "menu", "aria-label": "Order" }, ...this.#orders()),
    ]);
  }

  /** Draw the bar for the question. */
  draw() {
    const { folder, since, until, sort } = this.wishes.question();
    const dated = Boolean(since || until);
    const { change } = this.wishes;
    fill(
      "folder",
      "folder",
      folder ? lastPart(folder) : "Folder",
      folder !== null && (() => change({ folder: null })),
    );
    fill(
      "date",
      "calendar",
      dated ? spanOf(since, until) : "Date",
      dated && (() => change({ since: null, until: null })),
    );
    fill("sort", "sort", this.#name(sort), sort !== "best" && (() => change({ sort: "best" })));
    const chips = byId("chips");
    const focus = chips.contains(document.activeElement);
    replace(chips, ...this.#chips());
    if (focus) (chips.querySelector("button") ?? byId("folder")).focus();
  }

  /** Without a question the best ones are the newest ones. @param {Sort} sort */
  #name(sort) {
    return sort === "best" && !ranks(this.wishes.question()) ? SORTS.newest : SORTS[sort];
  }

  #orders() {
    const question = this.wishes.question();
    const ranked = ranks(question);
    /** @type {Sort[]} */
    const sorts = ranked ? ["best", "newest", "oldest"] : ["newest", "oldest"];
    const now = !ranked && question.sort === "best" ? "newest" : question.sort;
    return sorts.map((sort) =>
      choice(SORTS[sort], sort === now, () => {
        this.sort.close();
        this.wishes.change({ sort: sort === "newest" && !ranked ? "best" : sort });
      }),
    );
  }

  #chips() {
    const { like, picture, more, less } = this.wishes.question();
    const { change } = this.wishes;
    /** @param {number[]} ids @param {number} id */
    const without = (ids, id) => ids.filter((one) => one !== id);
    return [
      like !== null && chip("similar", "Similar to", api.thumbnail(like, 200), () => change({ like: null })),
      picture &&
        chip("camera", "Like your picture", this.uploads.get(picture), () => change({ picture: null })),
      ...more.map((id) =>
        chip("plus", "More like", api.thumbnail(id, 200), () => change({ more: without(more, id) })),
      ),
      ...less.map((id) =>
        chip("minus", "Less like", api.thumbnail(id, 200), () => change({ less: without(less, id) })),
      ),
    ];
  }
}

/**
 * Name a filter by what is chosen; then a cross behind it takes that back.
 * @param {string} id
 * @param {import("./icons.js").IconName} name
 * @param {string} label
 * @param {false | (() => void)} clear
 */
function fill(id, name, label, clear) {
  const button = byId(id);
  const filter = /** @type {HTMLElement} */ (button.parentElement);
  filter.classList.toggle("chosen", Boolean(clear));
  replace(button, icon(name), h("span", {}, label), !clear && icon("down"));
  filter.querySelector(".cross")?.remove(); // the button stays, with its focus
  if (clear) filter.append(cross(`Remove: ${label}`, clear));
}

/** @param {string} label @param {() => void} onclick */
const cross = (label, onclick) =>
  h("button.cross", { type: "button", "aria-label": label, title: "Remove", onclick }, icon("close"));

/**
 * @param {import("./icons.js").IconName} name
 * @param {string} label
 * @param {string | undefined} address
 * @param {() => void} remove
 */
const chip = (name, label, address, remove) =>
  h(
    `span.chip.chip-${name}`,
    {},
    icon(name),
    h("span.chip-label", {}, label),
    address && h("img", { src: address, alt: "a picture" }),
    cross(`Remove: ${label}`, remove),
  );
