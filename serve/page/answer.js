/** The pictures of an answer, in their order: all at once of a listing, page by page of a search. */

import * as api from "./api.js";
import { monthName } from "./words.js";

const PAGE = 60; // pictures in one answer of the server
const MOST_PAGES = 250; // of details that are kept
const VERSION = 4; // letters of a file's version
const A_ROW = 5; // with fewer pictures a month on average, a heading names a year

export class Answer {
  /** @type {number[]} */
  ids = [];
  /** @type {number[]} */
  ratios = [];
  /** @type {Section[]} */
  sections = [];
  more = false; // whether there are pictures that were not loaded yet
  /** Called when pictures or details came. @type {(what: "pictures" | "details") => void} */
  changed = () => {};
  /** Versions of a listing's files. */
  #versions = "";
  /** Details by the place of a picture. @type {Map<number, Hit>} */
  #hits = new Map();
  /** Pages of a listing's details that are on their way or there. @type {Map<number, Promise<void>>} */
  #pages = new Map();
  #loaded = 0; // pages of a search
  #mixed = true; // sure ones stand before those that fit perhaps
  #guessing = false;
  /** @type {((signal: AbortSignal) => Promise<Asked>) | null} */
  #guess;
  /** @type {Promise<void> | null} */
  #coming = null;
  #aborter = new AbortController();

  /**
   * @param {Asked} asked
   * @param {string} id of what was asked
   * @param {((signal: AbortSignal) => Promise<Asked>) | null} guess asks for what comes closest besides
   */
  constructor(asked, id, guess) {
    this.asked = asked;
    this.id = id;
    this.#guess = guess;
  }

  /**
   * The answer to a question, with its first pictures.
   * @param {Question} question
   * @param {Asked} asked
   * @param {string} id
   * @param {AbortSignal} signal
   */
  static async of(question, asked, id, signal) {
    const guess = (/** @type {AbortSignal} */ later) => api.ask(question, later);
    const answer = new Answer(asked, id, question.guesses ? guess : null);
    answer.#mixed = question.sort === "best";
    if (asked.listing) answer.#list(await api.order(id, signal));
    else await answer.#append(signal);
    return answer;
  }

  get count() {
    return this.ids.length;
  }

  /** Forget what is still on its way. */
  end() {
    this.#aborter.abort();
  }

  /** What is known of a picture, if it was loaded. @param {number} index */
  hit(index) {
    return this.#hits.get(index);
  }

  /** The address of a small picture. @param {number} index @param {200 | 400} height */
  thumbnail(index, height) {
    const v = this.#versions.slice(VERSION * index, VERSION * (index + 1));
    return api.thumbnail(this.ids[index], height, this.asked.listing ? { v } : this.#hits.get(index));
  }

  /** Load the details of some pictures of a listing. @param {number} first @param {number} end */
  async know(first, end) {
    if (!this.asked.listing) return;
    /** @type {Promise<void>[]} */
    const coming = [];
    for (let page = Math.floor(first / PAGE); page * PAGE < Math.min(end, this.count); page += 1)
      if (!this.#pages.has(page)) coming.push(this.#load(page));
    if (!coming.length) return;
    await Promise.all(coming);
    this.changed("details");
  }

  /** Load the next pictures of a search. */
  async next() {
    if (!this.more || this.#coming) return this.#coming;
    try {
      await (this.#coming = this.#append(this.#aborter.signal));
    } finally {
      this.#coming = null;
    }
    this.changed("pictures");
  }

  /** Where a picture is; -1 if it isn't among the loaded ones. @param {number} id */
  placeOf(id) {
    return this.ids.indexOf(id);
  }

  /** @param {Order} order */
  #list({ ids, ratios, versions, months }) {
    this.ids = ids;
    this.ratios = ratios;
    this.#versions = versions;
    const byYear = months.length > 12 && ids.length < A_ROW * months.length;
    let last = "";
    for (const { month, start } of months) {
      const key = byYear ? month.slice(0, 4) : month;
      if (key !== last) this.sections.push({ key, title: monthName(key), start });
      last = key;
    }
    if (!this.sections.length && ids.length) this.sections.push({ key: "", title: "", start: 0 });
  }

  /** @param {AbortSignal} signal */
  async #append(signal) {
    const { hits, more } = await api.hits(this.id, PAGE * this.#loaded, signal);
    this.#loaded += 1;
    this.more = more;
    const known = new Set(this.ids);
    for (const hit of this.#inOrder(hits)) {
      if (known.has(hit.id)) continue; // a guess that fits
      this.#divide(hit);
      this.#hits.set(this.count, hit);
      this.ids.push(hit.id);
      this.ratios.push(ratioOf(hit));
    }
    if (!more && this.#guess) await this.#goOn(this.#guess, signal);
    else if (more && this.count === known.size) await this.#append(signal);
  }

  /**
   * Go on with what comes closest besides.
   * @param {(signal: AbortSignal) => Promise<Asked>} guess
   * @param {AbortSignal} signal
   */
  async #goOn(guess, signal) {
    this.#guess = null;
    const { ask } = await guess(signal);
    if (ask === null) return;
    this.id = ask;
    this.#loaded = 0;
    this.#guessing = true;
    await this.#append(signal);
  }

  /** The sure ones of a page first. @param {Hit[]} hits */
  #inOrder(hits) {
    if (!this.#mixed || this.#guessing) return hits;
    return [...hits.filter(({ sure }) => sure), ...hits.filter(({ sure }) => !sure)];
  }

  /** Begin a section where the sure pictures end, and where the guesses begin. @param {Hit} hit */
  #divide(hit) {
    const last = this.sections.at(-1)?.key;
    let key = this.#guessing ? "closest" : "fits";
    if (key === "fits" && this.#mixed && (!hit.sure || last === "perhaps")) key = "perhaps";
    if (last === key) return;
    const unsure = this.asked.sentence.replace(/[.:]$/, "") || "Perhaps";
    const title = { fits: "", perhaps: unsure, closest: "Closest of the others" }[key] ?? "";
    this.sections.push({ key, title, start: this.count });
  }

  /** @param {number} page */
  #load(page) {
    const coming = api.hits(this.id, page * PAGE, this.#aborter.signal).then(
      ({ hits }) => this.#keep(page, hits),
      (error) => {
        this.#pages.delete(page); // it is asked for again
        throw error;
      },
    );
    this.#pages.set(page, coming);
    return coming;
  }

  /**
   * Keep the details of a page; of too many, those that came first go.
   * @param {number} page
   * @param {Hit[]} hits
   */
  #keep(page, hits) {
    const places = new Map(hits.map((hit) => [hit.id, hit]));
    for (let index = page * PAGE; index < Math.min(this.count, (page + 1) * PAGE); index += 1) {
      const hit = places.get(this.ids[index]);
      if (hit) this.#hits.set(index, hit);
    }
    if (this.#pages.size <= MOST_PAGES) return;
    const [oldest] = this.#pages.keys();
    this.#pages.delete(oldest);
    for (let at = oldest * PAGE; at < (oldest + 1) * PAGE; at += 1) this.#hits.delete(at);
  }
}

/** @param {Hit} hit */
const ratioOf = ({ width, height }) => (height ? Math.round((100 * width) / height) : 0);
