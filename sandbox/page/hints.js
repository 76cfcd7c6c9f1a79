/** Things to try, for whoever is here for the first time. Each puts itself into the composer. */

import { h } from "./dom.js";
import { icon, magpie } from "./icons.js";

const DISMISSED = "magpie.hints"; // in localStorage: they do not come back by themselves

export function hintsWanted() {
  return localStorage.getItem(DISMISSED) !== "seen";
}

/**
 * The panel. fill(text): put text into the composer; pointAtPicture(): open the menu of a picture here;
 * reply(): begin a reply to a picture here; close(): it was dismissed.
 */
export function hintsPanel({ fill, pointAtPicture, reply, close }) {
  const hint = (name, words, run) => h("li", {}, h("button", { type: "button", onclick: run }, icon(name), words));
  const dismiss = () => {
    localStorage.setItem(DISMISSED, "seen");
    close();
  };
  return h("aside.hints", { "aria-label": "Things to try" }, magpie(26), h("b", {}, "Try"),
    h("ul", {},
      hint("search", "/find dog in snow", () => fill("/find dog in snow")),
      hint("picture", "/find with a picture", () => fill("/find image:")),
      hint("apps", "Right-click → Find similar", pointAtPicture),
      hint("reply", "Reply with @Magpie", reply)),
    h("button.plain", { type: "button", "aria-label": "Close the hints", title: "Close", onclick: dismiss }, icon("close")));
}
