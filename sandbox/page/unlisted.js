/**
 * Channels that a new connection doesn't list, which are archived threads. Each is asked for when a mention, a link
 * or an address names it.
 */

import { h } from "./dom.js";

const FORGOTTEN_AFTER_MS = 30_000; // permissions change, so a refusal doesn't hold for ever

export class Unlisted {
  /** @type {Map<string, Promise<Channel | null>>} */
  #asked = new Map(); // channel id -> the answer

  /**
   * @param {Api} api
   * @param {Store} store
   */
  constructor(api, store) {
    this.api = api;
    this.store = store;
  }

  /**
   * The channel of this id; null when this person can't see it, or it is gone.
   * @param {string} id
   * @returns {Promise<Channel | null>}
   */
  async find(id) {
    const known = this.store.channel(id);
    if (known) return known;
    let asked = this.#asked.get(id);
    if (!asked) {
      asked = this.#ask(id);
      this.#asked.set(id, asked);
      setTimeout(() => this.#asked.delete(id), FORGOTTEN_AFTER_MS);
    }
    return asked;
  }

  /** @param {string} id */
  async #ask(id) {
    try {
      /** @type {Channel} */
      const channel = await this.api.get(`/channels/${id}`);
      if (!this.store.guilds.has(channel.guild_id)) return null;
      this.store.keepThreads(channel.guild_id, [channel]);
    } catch {
      return null; // 403, 404; without a connection it is asked for again later
    }
    return this.store.channel(id);
  }
}

/**
 * What `draw` makes of a channel, or of null when this person can't see it. Until that is known, dots are shown.
 * @param {string} id
 * @param {Pick<Context, "store" | "unlisted">} context
 * @param {(channel: Channel | null) => Node} draw
 */
export function withChannel(id, { store, unlisted }, draw) {
  const known = store.channel(id);
  if (known) return draw(known);
  const place = h("span", {}, "…");
  unlisted.find(id).then((found) => place.replaceWith(draw(found)));
  return place;
}
