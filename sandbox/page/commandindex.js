/** The commands of each server, as the applications registered them; asked for again when they may have changed. */

/**
 * What is known of one guild's commands.
 * @typedef {{ index: CommandIndexPayload | null, at: number, loading: Promise<void> | null }} Known
 */

const FRESH_MS = 20_000;
const EMPTY_FRESH_MS = 2_000; // nobody is connected yet: look again soon

export class CommandIndex {
  /** @type {Map<string, Known>} */
  #byGuild = new Map(); // guild id -> {index, at, loading}

  /** @param {Api} api */
  constructor(api) {
    this.api = api;
  }

  /**
   * What is known now; empty before the first load.
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
   * Load unless what is known is recent. Failures leave what was known.
   * @param {string} guildId
   */
  async load(guildId) {
    const known = this.#byGuild.get(guildId) ?? { index: null, at: 0, loading: null };
    this.#byGuild.set(guildId, known);
    const age = Date.now() - known.at;
    if (age < (known.index?.application_commands.length ? FRESH_MS : EMPTY_FRESH_MS)) return;
    known.loading ??= this.#fetch(guildId, known);
    // what is known serves while a newer one is on its way
    if (!known.index?.application_commands.length) await known.loading;
  }

  /** The server said that commands or permissions changed. */
  forget() {
    for (const known of this.#byGuild.values()) known.at = 0;
  }

  /**
   * @param {string} guildId
   * @param {Known} known
   */
  async #fetch(guildId, known) {
    try {
      known.index = await this.api.get(`/guilds/${guildId}/application-command-index`);
    } catch {
      known.index ??= { applications: [], application_commands: [] }; // the list says that nobody is connected
    }
    known.at = Date.now();
    known.loading = null;
  }
}
