/** The registered commands of each server; they are loaded again when they may have changed. */

import { DIRECT } from "./store.js";

/**
 * The loaded commands of one guild.
 * @typedef {{ index: CommandIndexPayload | null, at: number, loading: Promise<void> | null }} Known
 */

const FRESH_MS = 20_000;
const EMPTY_FRESH_MS = 2_000; // no bot is connected yet, so load again soon

export class CommandIndex {
  /** @type {Map<string, Known>} */
  #byGuild = new Map(); // guild id -> {index, at, loading}

  /** @param {Api} api */
  constructor(api) {
    this.api = api;
  }

  /**
   * The loaded commands; empty before the first load.
   * @param {string} guildId
   */
  of(guildId) {
    return this.#byGuild.get(guildId)?.index ?? { applications: [], application_commands: [] };
  }

  /** @param {string} guildId */
  loaded(guildId) {
    return Boolean(this.#byGuild.get(guildId)?.index);
  }

  /**
   * Load the commands, unless they are recent. A failure keeps the old ones.
   * @param {string} guildId
   */
  async load(guildId) {
    if (guildId === DIRECT) return; // Magpie's commands are for servers
    const known = this.#byGuild.get(guildId) ?? { index: null, at: 0, loading: null };
    this.#byGuild.set(guildId, known);
    const age = Date.now() - known.at;
    if (age < (known.index?.application_commands.length ? FRESH_MS : EMPTY_FRESH_MS)) return;
    known.loading ??= this.#fetch(guildId, known);
    // the old list is used until the new one arrives
    if (!known.index?.application_commands.length) await known.loading;
  }

  /** The server said that commands or permissions changed. */
  forget() {
    for (const known of this.#byGuild.values()) known.at = 0;
  }

  /**
   * The person's language changed, and with it the names of all commands.
   * @param {string} [guildId] the server that is open
   */
  async speak(guildId) {
    this.#byGuild.clear();
    if (guildId) await this.load(guildId);
  }

  /**
   * @param {string} guildId
   * @param {Known} known
   */
  async #fetch(guildId, known) {
    try {
      known.index = await this.api.get(`/guilds/${guildId}/application-command-index`);
    } catch {
      known.index ??= { applications: [], application_commands: [] }; // an empty list shows that no bot is connected
    }
    known.at = Date.now();
    known.loading = null;
  }
}
