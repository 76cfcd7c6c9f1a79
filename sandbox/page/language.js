/**
 * The language of a person's client: Magpie speaks it to them, and its commands have their names in it. Who manages a
 * server chooses the language of what everybody there reads, too.
 */

import { openMenu } from "./menu.js";
import { PERMISSION } from "./permissions.js";
import { toast } from "./toast.js";

/** Those in which Magpie speaks, as they call themselves. */
const LANGUAGES = {
  "en-US": "English",
  de: "Deutsch",
  "es-ES": "Español",
  "es-419": "Español (Latinoamérica)",
  fr: "Français",
  ja: "日本語",
  "pt-BR": "Português (Brasil)",
};

/**
 * A menu of the languages. The sandbox says USER_UPDATE or GUILD_UPDATE when one is chosen.
 * @param {MouseEvent} event
 * @param {Pick<Context, "store" | "api">} context
 * @param {Guild | null} guild  the open one
 */
export function openLanguages(event, { store, api }, guild) {
  /**
   * @param {string} path
   * @param {object} change
   */
  const change = async (path, change) => {
    try {
      await api.patch(path, change);
    } catch (error) {
      toast(error.message);
    }
  };
  const items = languages(store.me.locale, (locale) => change("/users/@me/settings", { locale }));
  if (guild && store.canInGuild(guild, PERMISSION.manageGuild)) {
    const choose = /** @param {string} locale */ (locale) =>
      change(`/guilds/${guild.id}`, { preferred_locale: locale });
    items.push({ label: `For everybody in ${guild.name}`, items: languages(guild.preferred_locale, choose) });
  }
  openMenu(event, items, "Language");
}

/**
 * The languages, with a mark at the chosen one.
 * @param {string | undefined} chosen
 * @param {(locale: string) => Promise<void>} choose
 * @returns {MenuItem[]}
 */
const languages = (chosen, choose) =>
  Object.entries(LANGUAGES).map(([locale, name]) => ({
    label: name,
    icon: chosen === locale ? "check" : undefined,
    run: () => void choose(locale),
  }));
