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
  const hint = (title, words, run) => h("li", {}, h("button", { type: "button", onclick: run }, h("b", {}, title), h("span", {}, words)));
  const dismiss = () => {
    localStorage.setItem(DISMISSED, "seen");
    close();
  };
  return h("aside.hints", { "aria-label": "Things to try" },
    h("header", {}, magpie(28), h("h2", {}, "Things to try"),
      h("button.plain", { type: "button", "aria-label": "Close the hints", title: "Close", onclick: dismiss }, icon("close"))),
    h("ul", {},
      hint("/find dog in snow", "Ask with words.", () => fill("/find dog in snow")),
      hint("Find similar", "Right-click a picture → Apps → Find similar.", pointAtPicture),
      hint("Reply with @Magpie", "Reply to a picture: “@Magpie but at night”.", reply),
      hint("/find with a picture", "Drop, paste or pick one of your own.", () => fill("/find image:"))));
}
