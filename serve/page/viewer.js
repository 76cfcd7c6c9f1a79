/** One picture, as large as the window, with its neighbours and what is known of it. */

import * as api from "./api.js";
import { h, replace } from "./dom.js";
import { icon, iconButton } from "./icons.js";
import { clock, counted, dayOf, number, timeOf } from "./words.js";
import { Zoom } from "./zoom.js";

const INFO = "magpie.info"; // in localStorage: whether the panel is open

/**
 * What the viewer goes through: an answer, or a few pictures.
 * @typedef {object} Pictures
 * @property {number[]} ids
 * @property {number} count
 * @property {boolean} more
 * @property {(index: number) => Hit | undefined} hit
 * @property {(index: number, height: 200 | 400) => string} thumbnail
 * @property {(first: number, end: number) => Promise<void>} know
 * @property {() => Promise<void | null>} next
 *
 * @typedef {object} Actions
 * @property {(id: number) => void} moved another picture is shown
 * @property {() => void} close
 * @property {(how: "like" | "more" | "less", id: number) => void} steer
 * @property {(change: Partial<Question>) => void} ask
 */

/** Pictures that are known already. @param {Hit[]} hits @returns {Pictures} */
export const few = (hits) => ({
  ids: hits.map(({ id }) => id),
  count: hits.length,
  more: false,
  hit: (index) => hits[index],
  thumbnail: (index, height) => api.thumbnail(hits[index].id, height, hits[index]),
  know: async () => {},
  next: async () => {},
});

export class Viewer {
  /** @type {Pictures} */
  #pictures = few([]);
  #index = 0;

  /** @param {Actions} actions */
  constructor(actions) {
    this.actions = actions;
    this.preview = h("img.preview", { alt: "", draggable: "false" });
    this.full = h("img.full", { alt: "", draggable: "false" });
    this.trouble = h("div.trouble", { role: "alert", hidden: true });
    this.picture = h("div.picture", {}, this.preview, this.full);
    this.name = h("span.viewer-name");
    this.where = h("span.viewer-where");
    this.said = h("p.unseen", { role: "status" });
    this.info = h("aside.info", { "aria-label": "About this picture" });
    this.left = iconButton("left", "Previous picture (←)", () => this.step(-1), { class: "step left" });
    this.right = iconButton("right", "Next picture (→)", () => this.step(1), { class: "step right" });
    this.infoButton = iconButton("info", "About this picture (i)", () => this.#toggleInfo());
    this.stage = h("div.stage", {}, this.picture, this.trouble, this.left, this.right);
    this.element = h(
      "dialog.viewer",
      { "aria-label": "Picture" },
      h(
        "header.viewer-bar",
        {},
        iconButton("close", "Close (Esc)", () => actions.close(), { class: "round close" }),
        h("p.viewer-title", {}, this.name, this.where),
        h(
          "div.viewer-actions",
          {},
          this.#steering("similar", "Similar", "like", "s"),
          this.#steering("plus", "More like this", "more", "m"),
          this.#steering("minus", "Less like this", "less", "l"),
          this.infoButton,
        ),
      ),
      this.stage,
      this.info,
      this.said,
    );
    this.zoom = new Zoom(this.stage, this.picture, { step: (by) => this.step(by), close: actions.close });
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.element.addEventListener("cancel", (event) => {
      event.preventDefault();
      actions.close();
    });
    this.full.addEventListener("load", () => this.#loaded());
    this.full.addEventListener("error", () => this.#failed());
    document.body.append(this.element);
    this.#showInfo(localStorage.getItem(INFO) === "open");
  }

  get isOpen() {
    return this.element.open;
  }

  /** The id of the picture that is shown. */
  get id() {
    return this.#pictures.ids[this.#index];
  }

  get index() {
    return this.#index;
  }

  /**
   * @param {Pictures} pictures
   * @param {number} index
   * @param {boolean} [info] whether its panel must be open
   */
  open(pictures, index, info = false) {
    this.#pictures = pictures;
    if (info) this.#showInfo(true);
    if (!this.element.open) this.element.showModal();
    this.#show(index);
  }

  close() {
    if (!this.element.open) return;
    this.element.close();
    this.full.removeAttribute("src");
    this.preview.removeAttribute("src");
  }

  /** Go to a neighbour; behind the last loaded picture more are loaded. @param {number} by */
  async step(by) {
    const pictures = this.#pictures;
    const next = this.#index + by;
    if (next >= pictures.count && pictures.more) await pictures.next().catch(() => {});
    if (next < 0 || next >= pictures.count || pictures !== this.#pictures) return;
    this.#show(next);
    this.actions.moved(this.id);
  }

  /** @param {number} index */
  async #show(index) {
    this.#index = index;
    const id = this.id;
    const { count, more } = this.#pictures;
    this.zoom.reset();
    this.trouble.hidden = true;
    this.element.classList.add("loading");
    this.preview.src = this.#pictures.thumbnail(index, 400);
    this.full.src = api.file(id);
    this.left.disabled = index === 0;
    this.right.disabled = index === count - 1 && !more;
    this.where.textContent = count > 1 ? `${number(index + 1)} of ${number(count)}${more ? "+" : ""}` : "";
    this.#describe(this.#pictures.hit(index));
    if (this.#pictures.hit(index)) return;
    await this.#pictures.know(index, index + 1).catch(() => {});
    if (this.id === id) this.#describe(this.#pictures.hit(index));
  }

  #loaded() {
    this.element.classList.remove("loading");
    for (const at of [this.#index + 1, this.#index - 1])
      if (at >= 0 && at < this.#pictures.count) new Image().src = api.file(this.#pictures.ids[at]);
  }

  async #failed() {
    if (!this.full.getAttribute("src")) return;
    const { id } = this;
    const why = this.#pictures.hit(this.#index)?.why ?? (await api.whyNot(id)) ?? "Magpie does not answer.";
    if (this.id !== id) return;
    this.element.classList.remove("loading");
    replace(this.trouble, icon("broken"), h("p", {}, why));
    this.trouble.hidden = false;
  }

  /** @param {Hit | undefined} hit */
  #describe(hit) {
    this.full.alt = hit?.alt ?? "";
    this.name.textContent = hit?.name ?? "";
    this.said.textContent = hit ? `${hit.alt} ${this.where.textContent}` : "";
    replace(this.info, ...(hit ? this.#facts(hit) : [h("p.hint", {}, "Loading…")]));
  }

  /** What the panel says. @param {Hit} hit @returns {Node[]} */
  #facts(hit) {
    const { taken, width, height } = hit;
    const pixels = (width * height) / 1e6;
    const month = taken === null ? "" : localMonth(taken);
    return [
      fact("Name", hit.name),
      fact(
        "Folder",
        hit.folder
          ? this.#question(hit.folder, "Only this folder", { folder: hit.folder })
          : "the gallery’s own folder",
      ),
      taken !== null &&
        fact(
          "Date",
          this.#question(dayOf(taken), "Only this month", { since: month, until: month }),
          h("span.faint", {}, timeOf(taken)),
        ),
      width > 0 &&
        fact(
          "Size",
          `${number(width)} × ${number(height)}`,
          pixels >= 0.1 && h("span.faint", {}, `${pixels.toFixed(1)} megapixels`),
        ),
      hit.frames > 1 &&
        fact(
          hit.kind === "clip" ? "Video" : "Animation",
          counted(hit.frames, "scene is", "scenes are").replace(/$/, " searched"),
          hit.second !== null && h("span.faint", {}, `the best at ${clock(hit.second)}`),
        ),
      hit.concepts.length > 0 &&
        fact(
          "The model sees",
          h(
            "span.words",
            {},
            ...hit.concepts.map((word) => this.#question(word, `Search for ${word}`, { line: word })),
          ),
        ),
      hit.says ? fact("Words in it", h("q", {}, hit.says)) : null,
      hit.copies.length > 0 && this.#copies(hit),
      h(
        "a.open-file",
        { href: api.file(hit.id), target: "_blank", rel: "noopener" },
        icon("open"),
        "Open alone in a new tab",
      ),
    ].filter((one) => one instanceof Node);
  }

  /** @param {Hit} hit */
  #copies({ id, copies }) {
    /** @param {{ id: number, path: string }} copy */
    const row = (copy) =>
      h(
        "li",
        {},
        h(
          "button.copy",
          { type: "button", onclick: () => this.#openCopies([id, ...copies.map((one) => one.id)], copy.id) },
          h("img", { src: api.thumbnail(copy.id, 200), alt: "", loading: "lazy" }),
          h("span", {}, copy.path),
        ),
      );
    return fact(counted(copies.length, "copy", "copies"), h("ul.copies-list", {}, ...copies.map(row)));
  }

  /** Go through the copies of a picture. @param {number[]} ids @param {number} id the first to show */
  async #openCopies(ids, id) {
    const hits = await Promise.all(ids.map(api.picture)).catch(() => null);
    if (!hits) return;
    this.open(few(hits), ids.indexOf(id));
    this.actions.moved(id);
  }

  /** @param {string} label @param {string} title @param {Partial<Question>} change */
  #question(label, title, change) {
    return h("button.link", { type: "button", title, onclick: () => this.actions.ask(change) }, label);
  }

  /**
   * @param {import("./icons.js").IconName} name
   * @param {string} label
   * @param {"like" | "more" | "less"} how
   * @param {string} key
   */
  #steering(name, label, how, key) {
    return h(
      "button.steer",
      { type: "button", title: `${label} (${key})`, onclick: () => this.actions.steer(how, this.id) },
      icon(name),
      h("span", {}, label),
    );
  }

  #toggleInfo() {
    const open = !this.element.classList.contains("with-info");
    localStorage.setItem(INFO, open ? "open" : "closed");
    this.#showInfo(open);
  }

  /** @param {boolean} open */
  #showInfo(open) {
    this.element.classList.toggle("with-info", open);
    this.infoButton.setAttribute("aria-pressed", String(open));
    this.zoom.reset();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowRight: () => this.step(1),
      ArrowLeft: () => this.step(-1),
      "+": () => this.zoom.by(1.5),
      "=": () => this.zoom.by(1.5),
      "-": () => this.zoom.by(1 / 1.5),
      0: () => this.zoom.reset(),
      i: () => this.#toggleInfo(),
      s: () => this.actions.steer("like", this.id),
      m: () => this.actions.steer("more", this.id),
      l: () => this.actions.steer("less", this.id),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }
}

/** @param {string} name @param {...Child} values */
const fact = (name, ...values) => h("div.fact", {}, h("h3", {}, name), h("div", {}, ...values));

/** Seconds → "2024-05", here @param {number} seconds */
function localMonth(seconds) {
  const day = new Date(seconds * 1000);
  return `${day.getFullYear()}-${String(day.getMonth() + 1).padStart(2, "0")}`;
}
