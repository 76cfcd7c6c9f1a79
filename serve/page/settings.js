/** What a person chooses for this browser: the theme, and how large pictures are; which keys there are. */

import { byId, h } from "./dom.js";
import { icon } from "./icons.js";
import { choice, panel } from "./menu.js";

const THEME = "magpie.theme"; // in localStorage, read by theme.js too
const SIZE = "magpie.size";
const KEYS = [
  ["/", "search"],
  ["← → ↑ ↓", "go from picture to picture"],
  ["Enter", "open the picture"],
  ["s", "similar pictures"],
  ["m", "more like this"],
  ["l", "less like this"],
  ["i", "about the picture, when it is open"],
  ["+ − 0", "zoom, when it is open or in the atlas"],
  ["a", "atlas, and back"],
  ["Esc", "close, leave the field"],
  ["?", "these keys"],
];

/** @typedef {import("./grid.js").Size} Size */

/** @returns {Size} */
export function chosenSize() {
  const size = localStorage.getItem(SIZE);
  return size === "small" || size === "large" ? size : "medium";
}

/** The panel behind the button at the upper right. @param {(size: Size) => void} resize */
export function settingsPanel(resize) {
  const button = byId("settings");
  button.append(icon("sliders"));
  const theme = () => localStorage.getItem(THEME) ?? "system";
  /** @param {string} value @param {string} label */
  const themeChoice = (value, label) =>
    choice(label, theme() === value, () => {
      localStorage.setItem(THEME, value);
      document.documentElement.dataset.theme = value;
      shown.draw();
    });
  /** @param {Size} value @param {string} label */
  const sizeChoice = (value, label) =>
    choice(label, chosenSize() === value, () => {
      localStorage.setItem(SIZE, value);
      resize(value);
      shown.draw();
    });
  const keys = h(
    "button.choice.plain",
    { type: "button", role: "menuitem", onclick: () => (shown.close(), showKeys()) },
    "Keys",
    h("kbd", {}, "?"),
  );
  const shown = panel(button, "Appearance and keys", () => [
    h("h2", {}, "Colours"),
    h(
      "div.choices",
      { role: "menu", "aria-label": "Colours" },
      themeChoice("system", "As the system"),
      themeChoice("light", "Light"),
      themeChoice("dark", "Dark"),
    ),
    h("h2", {}, "Pictures"),
    h(
      "div.choices",
      { role: "menu", "aria-label": "Pictures" },
      sizeChoice("small", "Small"),
      sizeChoice("medium", "Medium"),
      sizeChoice("large", "Large"),
    ),
    h("div.choices", { role: "menu", "aria-label": "Help" }, keys),
  ]);
}

/** The dialog with the keys. */
export function showKeys() {
  const close = h(
    "button.action",
    { type: "button", autofocus: true, onclick: () => dialog.close() },
    "Close",
  );
  const dialog = h(
    "dialog.keys",
    { "aria-labelledby": "keys-title", onclose: () => dialog.remove() },
    h("h2", { id: "keys-title" }, "Keys"),
    h(
      "dl",
      {},
      ...KEYS.map(([key, does]) =>
        h("div", {}, h("dt", {}, ...key.split(" ").map((one) => h("kbd", {}, one))), h("dd", {}, does)),
      ),
    ),
    close,
  );
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}
