/**
 * The loaded messages of one channel, oldest first, without gaps.
 *
 * Messages are never changed in place: an edit stores a new object, so the list on the screen knows by
 * identity what to draw again. Private answers (flag 64) exist only here; loading again keeps them.
 */

import { compareIds } from "./snowflake.js";

export const PAGE_SIZE = 50;
const MAX_KEPT = 250; // beyond it, messages at the far end are dropped
export const FLAG = { ephemeral: 64, loading: 128, spoiler: 8, forward: 16384, componentsV2: 32768 };

/** @param {Pick<Message, "flags">} message */
export const isEphemeral = (message) => Boolean((message.flags ?? 0) & FLAG.ephemeral);

export class Timeline {
  /** @param {string} channelId */
  constructor(channelId) {
    this.channelId = channelId;
    /** @type {Message[]} */
    this.messages = [];
    /** @type {Message[]} */
    this.local = []; // messages that were sent from here and are not confirmed yet
    this.reachesOldest = false;
    this.reachesNewest = false;
    this.loaded = false;
    this.stale = false; // events were missed, so it must be loaded again
  }

  /**
   * Replace the messages by loaded ones. Private answers stay, because the server doesn't list them.
   * @param {Message[]} messages
   * @param {{ reachesOldest: boolean, reachesNewest: boolean }} options
   */
  replace(messages, { reachesOldest, reachesNewest }) {
    const listed = new Set(messages.map((message) => message.id));
    const kept = this.messages.filter((message) => isEphemeral(message) && !listed.has(message.id));
    this.messages = sorted([...messages, ...kept]);
    Object.assign(this, { reachesOldest, reachesNewest, loaded: true, stale: false });
  }

  /**
   * @param {Message[]} messages
   * @param {boolean} reachesOldest
   */
  prepend(messages, reachesOldest) {
    this.messages = sorted([...this.#unknown(messages), ...this.messages]);
    this.reachesOldest = reachesOldest;
    if (this.messages.length > MAX_KEPT) {
      this.messages = this.messages.slice(0, MAX_KEPT);
      this.reachesNewest = false;
    }
  }

  /**
   * @param {Message[]} messages
   * @param {boolean} reachesNewest
   */
  append(messages, reachesNewest) {
    this.messages = sorted([...this.messages, ...this.#unknown(messages)]);
    this.reachesNewest = reachesNewest;
    this.#forgetOldest();
  }

  /**
   * A message from the gateway. It is ignored while older messages are shown; loading will bring it.
   * @param {Message} message
   */
  create(message) {
    this.local = this.local.filter((entry) => entry.nonce !== message.nonce);
    if (this.has(message.id)) return this.update(message);
    if (!this.reachesNewest && !isEphemeral(message)) return;
    this.messages = sorted([...this.messages, message]);
    this.#forgetOldest();
  }

  /** @param {Partial<Message>} partial */
  update(partial) {
    this.messages = this.messages.map((message) =>
      message.id === partial.id ? { ...message, ...partial } : message,
    );
  }

  /** @param {string[]} ids */
  remove(ids) {
    const gone = new Set(ids);
    this.messages = this.messages.filter((message) => !gone.has(message.id));
    this.local = this.local.filter((entry) => !gone.has(entry.id));
  }

  /** @param {string} id */
  has(id) {
    return this.messages.some((message) => message.id === id);
  }

  /** @param {string} id */
  get(id) {
    return this.messages.find((message) => message.id === id);
  }

  /**
   * The oldest or newest id that the server also has, where the next page starts.
   * @param {boolean} newest
   */
  edge(newest) {
    const listed = this.messages.filter((message) => !isEphemeral(message));
    return listed.at(newest ? -1 : 0)?.id ?? null;
  }

  /** @param {Message[]} messages */
  #unknown(messages) {
    return messages.filter((message) => !this.has(message.id));
  }

  #forgetOldest() {
    if (this.messages.length <= MAX_KEPT) return;
    this.messages = this.messages.slice(-MAX_KEPT);
    this.reachesOldest = false;
  }
}

/** @param {Message[]} messages */
const sorted = (messages) => messages.sort((a, b) => compareIds(a.id, b.id));
