/** The language of a person's client: Magpie speaks it to them, and its commands have their names in it. */

import { openMenu } from "./menu.js";
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
 * A menu of the languages. The sandbox says USER_UPDATE when one is chosen.
 * @param {MouseEvent} event
 * @param {Pick<Context, "store" | "api">} context
 */
export function openLanguages(event, { store, api }) {
  /** @param {string} locale */
  const choose = async (locale) => {
    try {
      await api.patch("/users/@me/settings", { locale });
    } catch (error) {
      toast(error.message);
    }
  };
  /** @type {MenuItem[]} */
  const items = Object.entries(LANGUAGES).map(([locale, name]) => ({
    label: name,
    icon: store.me.locale === locale ? "check" : undefined,
    run: () => void choose(locale),
  }));
  openMenu(event, items, "Language");
}
