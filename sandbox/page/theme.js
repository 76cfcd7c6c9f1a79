/** The theme: dark, light, or the system's. The colours are in theme.css. */

import { toast } from "./toast.js";

const CHOSEN = "magpie.theme"; // in localStorage
/** @type {Record<string, string>} */
const NEXT = { system: "dark", dark: "light", light: "system" };
/** @type {Record<string, string>} */
const WORDS = { system: "Colours follow the system.", dark: "Dark colours.", light: "Light colours." };

export function applyTheme() {
  document.documentElement.dataset.theme = localStorage.getItem(CHOSEN) ?? "system";
}

export function cycleTheme() {
  const next = NEXT[localStorage.getItem(CHOSEN) ?? "system"];
  localStorage.setItem(CHOSEN, next);
  applyTheme();
  toast(WORDS[next]);
}
