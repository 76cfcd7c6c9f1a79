/** The pictures of an answer, in their order: all at once of a listing, page by page of a search. */

import * as api from "./api.js";
import { monthName } from "./words.js";

const PAGE = 60; // pictures in one answer of the server
const MOST_PAGES = 250; // of details that are kept
const A_ROW = 5; // with fewer pictures a month on average, a heading names a year

export class Answer {
  /** @type {ArrayLike<number> & Iterable<number>} */
  ids = [];
  /** @type {ArrayLike<number>} */
  ratios = [];
  /** @type {Section[]} */
  sections = [];
  more = false; // whether there are pictures that were not loaded yet
  /** Called when pictures or details came. @type {(what: "pictures" | "details") => void} */
  changed = () => {};
  /** @type {Map<number, Hit[]>} pages of details */
  #pages = new Map();
  /** @type {Map<number, Promise<void>>} */
  #coming = new Map();
  #aborter = new AbortController();

  /** @param {Asked} asked */
  constructor(asked) {
    this.asked = asked;
  }

  /**
   * The answer to a question, with its first pictures.
   * @param {Asked} asked
   * @param {AbortSignal} signal
   */
  static async of(asked, signal) {
    const answer = new Answer(asked);
    if (asked.error) return answer;
    if (asked.listing) answer.#list(await api.order(asked.ask, signal));
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

  /** What is known of a picture, if it was loaded. @param {number} index @returns {Hit | undefined} */
  hit(index) {
    return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** Load the details of some pictures. @param {number} first @param {number} end */
  async know(first, end) {
    const pages = [];
    for (let page = Math.floor(first / PAGE); page * PAGE < Math.min(end, this.count); page += 1)
      if (!this.#pages.has(page)) pages.push(this.#load(page));
    if (!pages.length) return;
    await Promise.all(pages);
    this.changed("details");
  }

  /** Load the next pictures of a search. */
  async next() {
    if (!this.more || this.#coming.size) return;
    const coming = this.#append(this.#aborter.signal);
    this.#coming.set(-1, coming);
    try {
      await coming;
    } finally {
      this.#coming.delete(-1);
    }
    this.changed("pictures");
  }

  /** Where a picture is; -1 if it isn't among the loaded ones. @param {number} id */
  placeOf(id) {
    return Array.prototype.indexOf.call(this.ids, id);
  }

  /** @param {Order} order */
  #list({ ids, ratios, months }) {
    this.ids = ids;
    this.ratios = ratios;
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
    const from = this.count;
    const { hits, more } = await api.hits(this.asked.ask, from, signal);
    this.more = more && hits.length > 0;
    this.ids = [...this.ids, ...hits.map((hit) => hit.id)];
    this.ratios = [...Array.from(this.ratios), ...hits.map(ratioOf)];
    this.#pages.set(from / PAGE, hits);
    hits.forEach((hit, at) => this.#divide(hit, from + at));
  }

  /** Begin a section where the sure pictures end. @param {Hit} hit @param {number} index */
  #divide(hit, index) {
    const key = hit.sure ? "sure" : "closest";
    if (this.sections.at(-1)?.key === key) return;
    const title = hit.sure ? "" : "Closest of the others, not sure";
    this.sections.push({ key, title, start: index });
  }

  /** @param {number} page */
  async #load(page) {
    let coming = this.#coming.get(page);
    if (!coming) {
      coming = api
        .hits(this.asked.ask, page * PAGE, this.#aborter.signal)
        .then(({ hits }) => this.#keep(page, hits))
        .finally(() => this.#coming.delete(page));
      this.#coming.set(page, coming);
    }
    await coming;
  }

  /** @param {number} page @param {Hit[]} hits */
  #keep(page, hits) {
    this.#pages.set(page, hits);
    if (this.asked.listing && this.#pages.size > MOST_PAGES)
      this.#pages.delete(/** @type {number} */ (this.#pages.keys().next().value));
  }
}

/** @param {Hit} hit */
const ratioOf = ({ width, height }) => (height ? Math.round((100 * width) / height) : 0);
