/** The page: it reads the question from the address, asks it, and shows the answer. */

import { Answer } from "./answer.js";
import * as api from "./api.js";
import { show as showAtlas } from "./atlas.js";
import { Bar } from "./bar.js";
import { byId, h, replace } from "./dom.js";
import { takePictures } from "./drops.js";
import { Grid } from "./grid.js";
import { icon, iconButton } from "./icons.js";
import { asksSomething, everything, ranks, read, written } from "./question.js";
import { Scrubber } from "./scrubber.js";
import { Search } from "./search.js";
import { chosenSize, settingsPanel, showKeys } from "./settings.js";
import { emptyGallery, endOfFits, nothing, sizeOf, trouble } from "./states.js";
import { few, Viewer } from "./viewer.js";
import { counted, progressOf } from "./words.js";

const RETRY_MS = 2000;
const SAVED_MS = 250; // after scrolling, where it stands is kept with the address
const ATLAS_AGAIN_MS = 1200;
const SLOW_MS = 500; // then an answer is being waited for

class Page {
  /** @type {GalleryInfo} */
  gallery;
  /** @type {Place} */
  place = { question: everything(), view: "pictures", show: null };
  /** @type {Answer | null} */
  answer = null;
  /** @type {ReturnType<typeof showAtlas> | null} */
  atlas = null;
  #asked = ""; // the question that `answer` answers
  #aborter = new AbortController();
  #saving = 0;
  #lost = false;

  constructor() {
    this.grid = new Grid(byId("pictures"), {
      open: (index) => this.#open(index),
      copies: (index) => this.#open(index, true),
      href: (id) => written({ ...this.place, show: id }),
      approach: (index, tile) => this.#offer(index, tile),
      moved: (fast) => this.#moved(fast),
    });
    this.grid.size = chosenSize();
    this.scrubber = new Scrubber(byId("scrubber"), this.grid);
    this.search = new Search(
      (line) => this.change({ line }),
      (id) => this.go({ ...this.place, show: id }),
    );
    this.bar = new Bar({
      gallery: () => this.gallery,
      question: () => this.place.question,
      change: (change) => this.change(change),
    });
    this.viewer = new Viewer({
      moved: (id) => this.go({ ...this.place, show: id }, { replace: true }),
      close: () => this.#closeViewer(),
      steer: (how, id) => this.#steer(how, id),
      ask: (change) => this.go({ question: { ...everything(), ...change }, view: "pictures", show: null }),
    });
    this.offers = h(
      "div.offers",
      {},
      iconButton("similar", "Similar (s)", () => this.#steerOffered("like"), { tabindex: "-1" }),
      iconButton("plus", "More like this (m)", () => this.#steerOffered("more"), { tabindex: "-1" }),
      iconButton("minus", "Less like this (l)", () => this.#steerOffered("less"), { tabindex: "-1" }),
    );
    settingsPanel((size) => {
      this.grid.resize(size);
      this.scrubber.draw();
    });
    takePictures((file) => this.#upload(file));
    this.#furnish();
    api.connection.lost = () => this.#reconnect();
    addEventListener("popstate", () => this.#apply(read(location.hash), history.state?.top ?? 0));
    addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.scrubber.draw()).observe(this.grid.scroller);
  }

  async start() {
    this.place = read(location.hash);
    await this.#load();
    api.listen({
      adding: (adding) => this.#showAdding(adding),
      added: (end) => this.#added(end),
      changed: () => this.#changed(),
    });
    await this.#apply(this.place, history.state?.top ?? 0);
  }

  // ---- where the page is

  /** Ask something else. @param {Partial<Question>} change */
  change(change) {
    const question = { ...this.place.question, guesses: false, ...change };
    this.go({ question, view: "pictures", show: null });
  }

  /** @param {Place} place @param {{ replace?: boolean }} [how] */
  go(place, { replace = false } = {}) {
    const address = written(place);
    if (replace) history.replaceState(history.state, "", address);
    else if (address !== written(this.place)) {
      const opened = place.show !== null && this.place.show === null;
      history.pushState({ opened, top: opened ? this.grid.scroller.scrollTop : 0 }, "", address);
    }
    this.#apply(place, JSON.stringify(place.question) === this.#asked ? null : 0);
  }

  /**
   * Show a place, with the pictures scrolled to `top`; null: as they are.
   * @param {Place} place
   * @param {number | null} top
   */
  async #apply(place, top) {
    this.place = place;
    const { question, view, show } = place;
    const atlas = view === "atlas";
    this.search.line = question.line;
    if (this.gallery) this.bar.draw();
    document.body.classList.toggle("in-atlas", atlas);
    byId("view-pictures").setAttribute("aria-pressed", String(!atlas));
    byId("view-atlas").setAttribute("aria-pressed", String(atlas));
    byId("pictures").hidden = atlas;
    byId("atlas").hidden = !atlas;
    if (atlas) this.#showAtlas();
    const asked = JSON.stringify(question);
    if (asked !== this.#asked && this.gallery) await this.#ask(question, asked, top ?? 0);
    else this.#stay(this.viewer.isOpen || atlas ? null : top);
    if (this.place !== place) return;
    this.grid.mark(question.more, question.less);
    this.scrubber.draw();
    if (show === null) this.#leaveViewer();
    else if (!this.viewer.isOpen || this.viewer.id !== show) await this.#show(show);
  }

  // ---- the question

  /** @param {Question} question @param {string} asked @param {number} top */
  async #ask(question, asked, top) {
    this.#aborter.abort();
    const { signal } = (this.#aborter = new AbortController());
    document.body.classList.add("asking");
    const waiting = setTimeout(() => (byId("status").textContent = "Searching…"), SLOW_MS);
    try {
      const heard = await api.ask({ ...question, guesses: false }, signal);
      this.search.complain(heard.error);
      if (heard.ask === null) return void (byId("status").textContent = ""); // what was there stays
      const answer = await Answer.of(question, heard, heard.ask, signal);
      this.answer?.end();
      this.answer = answer;
      this.#asked = asked;
      byId("fresh").hidden = true;
      answer.changed = (what) => {
        if (answer !== this.answer) return;
        this.grid.refresh(what);
        if (what === "pictures") this.#tell();
      };
      this.grid.show(answer, top);
      this.#tell();
    } catch (error) {
      if (signal.aborted) return;
      this.#asked = "";
      byId("status").textContent = ""; // nobody is searching any more
      if (error instanceof api.Unreachable) return;
      this.#fail(error, () => this.#apply(this.place, 0));
    } finally {
      clearTimeout(waiting);
      if (!signal.aborted) document.body.classList.remove("asking");
    }
  }

  /** The answer that is there is the right one. @param {number | null} top */
  #stay(top) {
    this.#aborter.abort(); // another one may be on its way
    document.body.classList.remove("asking");
    this.search.complain(null);
    this.#tell();
    if (top !== null) this.grid.scroller.scrollTop = top;
  }

  /** Say in words what the answer is. */
  #tell() {
    const { answer, gallery } = this;
    if (!answer) return;
    const { asked } = answer;
    const { question } = this.place;
    const guess = () =>
      this.go({ ...this.place, question: { ...question, guesses: true } }, { replace: true });
    const note = byId("note");
    note.hidden = true;
    byId("status").textContent = [...asked.understood, sizeOf(answer, gallery)].filter(Boolean).join(" ");
    document.title =
      asksSomething(question) && question.line ? `${question.line} · ${gallery.name}` : gallery.name;
    if (!gallery.count) this.#state(...emptyGallery(gallery.adding, () => this.#add()));
    else if (!answer.count)
      this.#state(
        ...nothing(asked, !asked.listing && gallery.judges && !question.guesses ? guess : null, () =>
          this.go({ question: everything(), view: "pictures", show: null }),
        ),
      );
    else {
      this.#state();
      if (asked.listing || answer.more || question.guesses || !gallery.judges) return;
      replace(note, ...endOfFits(guess));
      note.hidden = false;
    }
  }

  /**
   * Say that something did not work; nothing beside it tells of pictures that are out of sight.
   * @param {Error} error
   * @param {() => void} again
   */
  #fail(error, again) {
    byId("status").textContent = "";
    byId("note").hidden = true;
    this.#state(...trouble(error.message, again));
  }

  /** @param {...Child} children none: the pictures are there */
  #state(...children) {
    const state = byId("state");
    state.hidden = !children.length;
    replace(state, ...children);
    this.grid.element.hidden = children.length > 0;
  }

  /** @param {File} file */
  async #upload(file) {
    byId("status").textContent = "Looking at your picture…";
    try {
      const name = await api.upload(file);
      this.bar.uploads.set(name, URL.createObjectURL(file));
      this.go({ question: { ...everything(), picture: name }, view: "pictures", show: null });
    } catch (error) {
      this.#fail(error, () => this.#upload(file));
    }
  }

  /** @param {"like" | "more" | "less"} how @param {number} id */
  #steer(how, id) {
    const { question } = this.place;
    if (how === "like")
      return this.go({ question: { ...everything(), like: id }, view: "pictures", show: null });
    const other = how === "more" ? "less" : "more";
    const chosen = question[how].includes(id);
    this.change({
      [how]: chosen ? question[how].filter((one) => one !== id) : [...question[how], id],
      [other]: question[other].filter((one) => one !== id),
    });
  }

  // ---- the grid

  /**
   * Below the pointer or the focus: what one can do with the picture.
   * @param {number} index
   * @param {HTMLElement} tile
   */
  #offer(index, tile) {
    if (this.offers.parentElement === tile || tile.classList.contains("broken")) return;
    this.offers.dataset.index = String(index);
    tile.append(this.offers);
  }

  /** @param {"like" | "more" | "less"} how */
  #steerOffered(how) {
    const id = this.answer?.ids[Number(this.offers.dataset.index)];
    if (id !== undefined) this.#steer(how, id);
  }

  /** @param {boolean} fast */
  #moved(fast) {
    this.scrubber.follow(fast);
    clearTimeout(this.#saving);
    this.#saving = setTimeout(() => {
      const { scrollTop } = this.grid.scroller;
      if (this.place.view === "pictures" && history.state?.top !== scrollTop)
        history.replaceState({ ...history.state, top: scrollTop }, "");
    }, SAVED_MS);
  }

  // ---- the viewer

  /** @param {number} index @param {boolean} [copies] whether to show its copies */
  #open(index, copies = false) {
    const { answer } = this;
    if (!answer) return;
    this.viewer.open(answer, index, copies);
    this.go({ ...this.place, show: answer.ids[index] });
  }

  /** Show a picture by its id, among those of the answer if it is there. @param {number} id */
  async #show(id) {
    const index = this.place.view === "atlas" ? -1 : (this.answer?.placeOf(id) ?? -1);
    if (this.answer && index >= 0) return this.viewer.open(this.answer, index);
    try {
      const hit = await api.picture(id);
      if (this.place.show === id) this.viewer.open(few([hit]), 0);
    } catch {
      this.go({ ...this.place, show: null }, { replace: true }); // it is gone
    }
  }

  #closeViewer() {
    if (history.state?.opened) history.back();
    else this.go({ ...this.place, show: null }, { replace: true });
  }

  /** Close the viewer; the focus goes to the picture that was shown last. */
  #leaveViewer() {
    if (!this.viewer.isOpen) return;
    const index = this.place.view === "atlas" ? -1 : (this.answer?.placeOf(this.viewer.id) ?? -1);
    this.viewer.close();
    if (index >= 0) this.grid.focus(index);
  }

  // ---- the atlas

  async #showAtlas() {
    const place = byId("atlas");
    if (this.atlas) return;
    try {
      const data = await api.atlas();
      if (this.place.view !== "atlas" || this.atlas) return;
      if (typeof data === "string") {
        replace(
          place,
          h("div.state", {}, h("div.spinner"), h("h2", {}, "Drawing the atlas"), h("p", {}, data)),
        );
        setTimeout(() => this.place.view === "atlas" && this.#showAtlas(), ATLAS_AGAIN_MS);
        return;
      }
      if (!data.points.length) {
        replace(
          place,
          h(
            "div.state",
            {},
            icon("map"),
            h("h2", {}, "There is nothing to draw yet"),
            h("p", {}, "The atlas needs some pictures first."),
          ),
        );
        return;
      }
      this.atlas = showAtlas(place, data, {
        picture: (id) => api.thumbnail(id, 200),
        large: (id) => api.thumbnail(id, 400),
        name: (id) => data.names[id] ?? null,
        open: (id) => this.go({ ...this.place, show: id }),
      });
    } catch (error) {
      if (error instanceof api.Refused)
        replace(
          place,
          h("div.state", {}, icon("warning"), h("h2", {}, "That did not work"), h("p", {}, error.message)),
        );
    }
  }

  // ---- the server

  async #load() {
    this.gallery = await api.gallery();
    document.body.classList.toggle("empty", !this.gallery.count);
    byId("gallery-name").textContent = this.gallery.name;
    this.bar.draw();
    this.#showAdding(this.gallery.adding);
  }

  async #add() {
    try {
      await api.add();
      this.#showAdding({ done: 0, total: 0, failed: 0, started: Date.now() / 1000 });
    } catch (error) {
      this.#fail(error, () => this.#add());
    }
  }

  /** @param {Adding | null} adding */
  #showAdding(adding) {
    const before = this.gallery.adding;
    this.gallery.adding = adding;
    const bar = byId("adding");
    bar.hidden = !adding;
    if (adding) {
      const { total } = adding;
      const share = total ? adding.done / total : 0;
      bar.style.setProperty("--share", String(share));
      bar.classList.toggle("unknown", !total);
      if (total) bar.setAttribute("aria-valuenow", String(Math.round(100 * share)));
      replace(bar, h("span", {}, progressOf(adding)));
    }
    if (!this.gallery.count && Boolean(before) !== Boolean(adding)) this.#tell();
  }

  /** Adding has ended. @param {Added} end */
  #added({ added = 0, failed = 0, sentence }) {
    this.#showAdding(null);
    const broken = failed ? ` ${counted(failed, "picture")} could not be read.` : "";
    byId("status").textContent = sentence ?? `${counted(added, "new picture")}.${broken}`;
  }

  /** The gallery has other pictures than before. */
  async #changed() {
    this.atlas?.end();
    this.atlas = null;
    await this.#load().catch(() => {});
    if (this.place.view === "atlas") this.#showAtlas();
    const still =
      this.grid.scroller.scrollTop < 4 &&
      !this.viewer.isOpen &&
      !this.grid.element.contains(document.activeElement);
    if (still && !ranks(this.place.question)) this.#refresh();
    else byId("fresh").hidden = false;
  }

  /** Ask the same again. */
  #refresh() {
    this.#asked = "";
    this.#apply(this.place, 0);
  }

  /** Try until the server answers, and say so. */
  async #reconnect() {
    if (this.#lost) return;
    this.#lost = true;
    const banner = byId("banner");
    banner.textContent =
      "Magpie does not answer: perhaps it was stopped. This page tries again until it does.";
    banner.hidden = false;
    while (this.#lost) {
      await new Promise((done) => setTimeout(done, RETRY_MS));
      try {
        await this.#load();
        this.#lost = false;
      } catch (error) {
        if (!(error instanceof api.Refused)) continue;
        banner.textContent =
          "Magpie was started anew, and has another address now. Open the one that it printed.";
        return;
      }
    }
    banner.hidden = true;
    if (this.#asked !== JSON.stringify(this.place.question)) this.#refresh();
    else this.grid.again();
  }

  // ---- around it

  #furnish() {
    byId("search").prepend(icon("search"));
    byId("clear").append(icon("close"));
    byId("choose-picture").append(icon("camera"));
    /**
     * @param {string} id
     * @param {import("./icons.js").IconName} name
     * @param {string} label
     * @param {Place["view"]} view
     */
    const viewButton = (id, name, label, view) => {
      replace(byId(id), icon(name), h("span", {}, label));
      byId(id).addEventListener("click", () => this.go({ ...this.place, view, show: null }));
    };
    viewButton("view-pictures", "grid", "Pictures", "pictures");
    viewButton("view-atlas", "map", "Atlas", "atlas");
    byId("home").addEventListener("click", (event) => {
      event.preventDefault();
      this.go({ question: everything(), view: "pictures", show: null });
    });
    byId("skip").addEventListener("click", (event) => {
      event.preventDefault();
      this.grid.focus(this.grid.focused);
    });
    byId("fresh").addEventListener("click", () => this.#refresh());
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open], :popover-open")) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.matches("input, textarea")) {
      if (event.key === "Escape") this.grid.focus(this.grid.focused);
      return;
    }
    const inGrid = this.grid.element.contains(target);
    /** @type {Record<string, () => void>} */
    const keys = {
      "/": () => this.search.enter(),
      "?": showKeys,
      a: () =>
        this.go({ ...this.place, view: this.place.view === "atlas" ? "pictures" : "atlas", show: null }),
    };
    if (inGrid)
      Object.assign(keys, {
        s: () => this.#steerOffered("like"),
        m: () => this.#steerOffered("more"),
        l: () => this.#steerOffered("less"),
      });
    else if (["ArrowDown", "ArrowRight"].includes(event.key) && target === document.body)
      keys[event.key] = () => this.grid.focus(this.grid.focused);
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

const page = new Page();
page.start().catch((error) => {
  if (error instanceof api.Unreachable) return;
  replace(byId("state"), icon("warning"), h("h2", {}, "That did not work"), h("p", {}, error.message));
  byId("state").hidden = false;
});
