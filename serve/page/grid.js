/** The grid: only the rows in sight are in the page, so that 100,000 pictures scroll like 100. */

import * as api from "./api.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { firstWhere, laidOut, rowAt, rowOf, shape } from "./rows.js";
import { number } from "./words.js";

const OVERSCAN = 0.75; // of a window above and below, that is kept ready
const FAST = 0.5; // of a window in one frame: too fast to look, so nothing is loaded
const SETTLED_MS = 110;
const HEADING = 52;
const GAP = 4;
const SIZES = { small: 130, medium: 200, large: 300 };
const ON_A_PHONE = 0.62; // of these heights

/** @typedef {keyof typeof SIZES} Size */
/** @typedef {import("./answer.js").Answer} Answer */
/**
 * @typedef {object} Actions
 * @property {(index: number) => void} open
 * @property {(index: number) => void} copies
 * @property {(id: number) => string} href
 * @property {(index: number, tile: HTMLElement) => void} approach the pointer or the focus is on a tile
 * @property {(fast: boolean) => void} moved after scrolling or a new layout; whether no picture is loaded meanwhile
 */

export class Grid {
  /** @type {Answer | null} */
  answer = null;
  /** @type {import("./rows.js").Layout} */
  layout = { rows: [], blocks: [], height: 0 };
  /** @type {Size} */
  size = "medium";
  /** The picture that has the focus, or had it last. */
  focused = 0;
  /** Pictures that steer the search. @type {{ more: number[], less: number[] }} */
  marks = { more: [], less: [] };
  /** @type {Map<number, HTMLElement>} sections in the page */
  #blocks = new Map();
  /** @type {Map<number, HTMLElement>} rows in the page */
  #rows = new Map();
  /** @type {Set<number>} rows whose pictures are not asked for yet */
  #waiting = new Set();
  #lastTop = 0;
  #frame = 0;
  #settling = 0;
  #width = 0;

  /**
   * @param {HTMLElement} scroller
   * @param {Actions} actions
   */
  constructor(scroller, actions) {
    this.scroller = scroller;
    this.actions = actions;
    this.element = h("div.grid", { role: "grid", "aria-label": "Pictures", "aria-readonly": "true" });
    scroller.prepend(this.element);
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.element.addEventListener("click", (event) => this.#click(event));
    for (const name of ["pointerover", "focusin"])
      this.element.addEventListener(name, (event) => this.#approached(event));
    new ResizeObserver(() => this.#resized()).observe(scroller);
  }

  /** The height at which scrolling ends. */
  get end() {
    return Math.max(0, this.scroller.scrollHeight - this.scroller.clientHeight);
  }

  /**
   * Show an answer, scrolled to `top`.
   * @param {Answer} answer
   * @param {number} top
   */
  show(answer, top) {
    this.answer = answer;
    this.focused = 0;
    this.#arrange();
    this.scroller.scrollTop = top;
    this.#paint();
    this.#rest();
  }

  /** Ask again for what could not be loaded. */
  again() {
    this.#keepingPlace(() => this.#arrange());
    this.#rest();
  }

  /** More pictures or details came for the answer that is shown. @param {"pictures" | "details"} what */
  refresh(what) {
    if (what === "pictures") this.#arrange();
    else for (const row of this.#rows.values()) this.#describeRow(row);
    this.#paint();
  }

  /** @param {Size} size */
  resize(size) {
    this.size = size;
    this.#keepingPlace(() => this.#arrange());
  }

  /** Show which pictures steer the search. @param {number[]} more @param {number[]} less */
  mark(more, less) {
    this.marks = { more, less };
    for (const row of this.#rows.values()) this.#describeRow(row);
  }

  /** Move the focus to a picture, and scroll to it. @param {number} index */
  focus(index) {
    if (!this.answer?.count) return;
    const next = Math.min(Math.max(0, index), this.answer.count - 1);
    this.reveal(next);
    this.#lead(next)?.focus({ preventScroll: true });
  }

  /** Let the Tab key come to this picture. @param {number} index */
  #lead(index) {
    this.#tile(this.focused)?.querySelector("a")?.setAttribute("tabindex", "-1");
    this.focused = index;
    const link = this.#tile(index)?.querySelector("a");
    link?.setAttribute("tabindex", "0");
    return link;
  }

  /** Scroll until a picture is in sight. @param {number} index */
  reveal(index) {
    const row = this.layout.rows[rowOf(this.layout.rows, index)];
    if (!row) return;
    const { scrollTop, clientHeight } = this.scroller;
    const above = row.top - HEADING - GAP;
    const below = row.top + row.height + GAP - clientHeight;
    if (above < scrollTop) this.scroller.scrollTop = row.section === 0 && row.first === 0 ? 0 : above;
    else if (below > scrollTop) this.scroller.scrollTop = below;
    this.#paint();
  }

  /** The number of the section that is at this height. @param {number} y */
  sectionAt(y) {
    const { blocks } = this.layout;
    return firstWhere(blocks.length, (at) => blocks[at].top + blocks[at].height > y);
  }

  /** The rectangle of a picture, if it is in the page. @param {number} index */
  rectangle(index) {
    return this.#tile(index)?.getBoundingClientRect();
  }

  // ---- where everything lies

  #arrange() {
    const { answer, scroller } = this;
    if (!answer) return;
    this.#width = this.element.clientWidth;
    const narrow = scroller.clientWidth < 640;
    const rowHeight = Math.round(SIZES[this.size] * (narrow ? ON_A_PHONE : 1));
    const measures = { width: this.#width, rowHeight, gap: GAP, heading: HEADING };
    this.layout = laidOut(answer.ratios, answer.sections, measures);
    this.element.style.height = `${this.layout.height}px`;
    this.element.setAttribute("aria-rowcount", String(answer.more ? -1 : this.layout.rows.length));
    this.#blocks.clear();
    this.#rows.clear();
    this.#waiting.clear();
    this.element.replaceChildren();
  }

  #resized() {
    if (!this.element.clientWidth) return; // another view is shown
    if (this.element.clientWidth !== this.#width) this.#keepingPlace(() => this.#arrange());
    else this.#paint();
  }

  /**
   * Do something that changes the layout; the first picture in sight stays where it is.
   * @param {() => void} change
   */
  #keepingPlace(change) {
    const { rows } = this.layout;
    const row = rows[rowAt(rows, this.scroller.scrollTop)];
    const away = row ? this.scroller.scrollTop - row.top : 0;
    const focus = this.element.contains(document.activeElement);
    change();
    const now = row && this.layout.rows[rowOf(this.layout.rows, row.first)];
    if (now && this.scroller.scrollTop > 0) this.scroller.scrollTop = now.top + away;
    this.#paint();
    if (focus) this.focus(this.focused);
  }

  // ---- what is in the page

  #scrolled() {
    if (!this.#frame)
      this.#frame = requestAnimationFrame(() => {
        this.#frame = 0;
        this.#paint();
      });
    this.#rest();
  }

  /** Wait until scrolling rests. */
  #rest() {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#settled(), SETTLED_MS);
  }

  #paint() {
    const { scroller, layout } = this;
    const { scrollTop: top, clientHeight: high } = scroller;
    const fast = Math.abs(top - this.#lastTop) > FAST * high && this.#lastTop !== 0;
    this.#lastTop = top;
    if (layout.rows.length) {
      const ready = fast ? 0 : OVERSCAN * high;
      const first = rowAt(layout.rows, top - ready);
      const last = rowAt(layout.rows, top + high + ready);
      this.#prune(first, last);
      for (let at = first; at <= last; at += 1) if (!this.#rows.has(at)) this.#mount(at);
      if (!fast) this.#load();
      else if (!this.#settling) this.#rest();
    }
    if (this.answer?.more && top + 3 * high > layout.height) this.answer.next().catch(() => {});
    this.actions.moved(fast);
  }

  /** Take away the rows and sections that are far out of sight. @param {number} first @param {number} last */
  #prune(first, last) {
    for (const [at, row] of this.#rows) {
      const near = at >= first && at <= last;
      if (near || row.contains(document.activeElement)) continue;
      // a picture that is still loading would hold up those in sight
      if (this.#waiting.delete(at) === false)
        for (const image of row.getElementsByTagName("img"))
          if (!image.complete) image.removeAttribute("src");
      row.remove();
      this.#rows.delete(at);
    }
    for (const [at, block] of this.#blocks)
      if (!block.querySelector(".row")) {
        block.remove();
        this.#blocks.delete(at);
      }
  }

  /** @param {number} at */
  #mount(at) {
    const row = this.layout.rows[at];
    const block = this.layout.blocks[row.section];
    const element = h("div.row", {
      role: "row",
      "aria-rowindex": at + 1,
      style: { top: `${row.top - block.top}px`, height: `${row.height}px` },
    });
    let left = 0;
    for (let index = row.first; index < row.end; index += 1) {
      const wide = shape(/** @type {Answer} */ (this.answer).ratios[index]) * row.height;
      element.append(this.#makeTile(index, left, wide));
      left += wide + GAP;
    }
    this.#rows.set(at, element);
    this.#waiting.add(at);
    this.#describeRow(element);
    this.#block(row.section).append(element);
  }

  /** @param {number} index */
  #block(index) {
    let element = this.#blocks.get(index);
    if (element) return element;
    const { top, height, heading } = this.layout.blocks[index];
    const section = /** @type {Answer} */ (this.answer).sections[index];
    element = h("div.block", { role: "rowgroup", style: { top: `${top}px`, height: `${height}px` } });
    if (heading)
      element.append(
        h(
          "div.heading",
          { role: "row", style: { height: `${heading}px` } },
          h("span", { role: "rowheader" }, h("h2", {}, section.title)),
        ),
      );
    this.#blocks.set(index, element);
    this.element.append(element);
    return element;
  }

  /**
   * @param {number} index
   * @param {number} left
   * @param {number} wide
   */
  #makeTile(index, left, wide) {
    const id = /** @type {Answer} */ (this.answer).ids[index];
    return h(
      "div.tile",
      {
        role: "gridcell",
        dataset: { index: String(index) },
        style: { left: `${left}px`, width: `${wide}px` },
      },
      h(
        "a",
        {
          href: this.actions.href(id),
          draggable: "false",
          tabindex: index === this.focused ? "0" : "-1",
        },
        h("img", { alt: "", decoding: "async", draggable: "false", onload: appear }),
      ),
    );
  }

  /** Ask for the pictures of the rows that were mounted, those in sight first. */
  #load() {
    const { answer } = this;
    if (!answer || !this.#waiting.size) return;
    const { scrollTop, clientHeight } = this.scroller;
    const middle = scrollTop + clientHeight / 2;
    const rows = [...this.#waiting].sort((one, other) => this.#away(one, middle) - this.#away(other, middle));
    const height = (this.layout.rows[0]?.height ?? 200) * devicePixelRatio > 250 ? 400 : 200;
    for (const at of rows) {
      for (const image of this.#rows.get(at)?.getElementsByTagName("img") ?? []) {
        const tile = /** @type {HTMLElement} */ (image.closest(".tile"));
        const index = Number(tile.dataset.index);
        image.onerror = () => failed(tile, answer.ids[index]);
        image.src = answer.thumbnail(index, height);
        if (image.complete) image.classList.add("there", "at-once"); // the browser had it
      }
    }
    this.#waiting.clear();
  }

  /** @param {number} at @param {number} middle */
  #away(at, middle) {
    return Math.abs(this.layout.rows[at].top - middle);
  }

  /** Scrolling rests: load what is in sight, and what is known of it. */
  #settled() {
    this.#settling = 0;
    this.#load();
    const { rows } = this.layout;
    if (!rows.length || !this.answer) return;
    const { scrollTop, clientHeight } = this.scroller;
    const first = rows[rowAt(rows, scrollTop)].first;
    const { end } = rows[rowAt(rows, scrollTop + clientHeight)];
    if (!this.#tile(this.focused)) this.#lead(first);
    this.answer.know(first, end).catch(() => {}); // the details are asked for again when scrolling rests
  }

  // ---- what a tile says

  /** @param {HTMLElement} row */
  #describeRow(row) {
    for (const tile of /** @type {Iterable<HTMLElement>} */ (row.children)) this.#describe(tile);
  }

  /** @param {HTMLElement} tile */
  #describe(tile) {
    const { answer, marks } = this;
    if (!answer) return;
    const index = Number(tile.dataset.index);
    const id = answer.ids[index];
    const hit = answer.hit(index);
    const image = tile.querySelector("img");
    if (image && !image.dataset.why)
      image.alt = hit?.alt ?? `Picture ${number(index + 1)} of ${number(answer.count)}`;
    tile.classList.toggle("more", marks.more.includes(id));
    tile.classList.toggle("less", marks.less.includes(id));
    if (!hit || tile.dataset.described) return;
    tile.dataset.described = "yes";
    if (hit.kind === "clip" || hit.frames > 1)
      tile.append(h("span.badge.moving", {}, icon("play"), h("span.unseen", {}, "It moves")));
    if (hit.copies.length)
      tile.append(
        h(
          "button.badge.copies",
          {
            type: "button",
            tabindex: "-1",
            title: "Show its copies",
            "aria-label": `Show all ${hit.copies.length + 1} copies`,
          },
          icon("copies"),
          hit.copies.length + 1,
        ),
      );
  }

  // ---- pointer and keys

  /** @param {number} index */
  #tile(index) {
    const row = this.#rows.get(rowOf(this.layout.rows, index));
    return /** @type {HTMLElement | null} */ (row?.querySelector(`[data-index="${index}"]`) ?? null);
  }

  /** @param {Event} event @returns {[number, HTMLElement] | null} */
  #at(event) {
    const tile = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest(".tile"));
    return tile && [Number(tile.dataset.index), tile];
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const at = this.#at(event);
    const target = /** @type {Element} */ (event.target);
    if (!at || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (target.closest(".copies")) this.actions.copies(at[0]);
    else if (target.closest("a")) this.actions.open(at[0]);
    else return;
    event.preventDefault();
  }

  /** @param {Event} event */
  #approached(event) {
    const at = this.#at(event);
    if (!at) return;
    if (event.type === "focusin" && at[0] !== this.focused) this.#lead(at[0]);
    this.actions.approach(...at);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.altKey || event.metaKey || !this.answer) return;
    const { rows } = this.layout;
    if (!rows.length) return;
    const at = rowOf(rows, this.focused);
    const row = rows[at];
    const last = this.answer.count - 1;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / (row.height + GAP)) - 1);
    /** @type {Record<string, () => number>} */
    const steps = {
      ArrowRight: () => this.focused + 1,
      ArrowLeft: () => this.focused - 1,
      ArrowDown: () => this.#inRow(at + 1),
      ArrowUp: () => this.#inRow(at - 1),
      PageDown: () => this.#inRow(at + page),
      PageUp: () => this.#inRow(at - page),
      Home: () => (event.ctrlKey ? 0 : row.first),
      End: () => (event.ctrlKey ? last : row.end - 1),
    };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    this.focus(step());
  }

  /** The picture in another row that is nearest to the focus. @param {number} at */
  #inRow(at) {
    const { rows } = this.layout;
    const row = rows[Math.min(Math.max(0, at), rows.length - 1)];
    const middle = this.#middle(this.focused);
    let best = row.first;
    for (let index = row.first; index < row.end; index += 1)
      if (Math.abs(this.#middle(index) - middle) < Math.abs(this.#middle(best) - middle)) best = index;
    return best;
  }

  /** How far right the middle of a picture is. @param {number} index */
  #middle(index) {
    const row = this.layout.rows[rowOf(this.layout.rows, index)];
    const ratios = /** @type {Answer} */ (this.answer).ratios;
    let left = 0;
    for (let at = row.first; at < index; at += 1) left += shape(ratios[at]) * row.height + GAP;
    return left + (shape(ratios[index]) * row.height) / 2;
  }
}

/** @param {Event} event */
function appear(event) {
  /** @type {HTMLElement} */ (event.target).classList.add("there");
}

/** A picture can't be shown: a quiet tile says why. @param {HTMLElement} tile @param {number} id */
async function failed(tile, id) {
  const image = tile.querySelector("img");
  if (!image?.getAttribute("src")) return; // taken back because it was scrolled away
  const why = await api.whyNot(id);
  if (!why) return; // the server is gone; it is asked again
  image.dataset.why = why;
  image.alt = "";
  tile.classList.add("broken");
  tile.title = why;
  const link = /** @type {HTMLElement} */ (tile.querySelector("a"));
  replace(link, image, icon("broken"), h("span.why", {}, why));
}
