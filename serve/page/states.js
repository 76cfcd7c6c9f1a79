/** What stands in the middle when there is no picture to show, and below the last sure one. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { counted, number } from "./words.js";

/**
 * @param {import("./icons.js").IconName} name
 * @param {string} title
 * @param {...Child} more
 */
const state = (name, title, ...more) => [icon(name), h("h2", {}, title), ...more];

/**
 * @param {string} label
 * @param {() => void} onclick
 * @param {boolean} [first] whether it is what most people want
 */
export const action = (label, onclick, first = false) =>
  h(`button.action${first ? ".first" : ""}`, { type: "button", onclick }, label);

/** A gallery without pictures. @param {Adding | null} adding @param {() => void} add */
export const emptyGallery = (adding, add) =>
  adding
    ? state("camera", "Looking at your pictures", h("p", {}, "The first ones appear here in a moment."))
    : state(
        "camera",
        "There are no pictures here yet",
        h("p", {}, "Magpie looks at each picture of this folder once, and then finds it by what is in it."),
        h("div.actions", {}, action("Add the pictures of this folder", add, true)),
        h("p.hint", {}, "or type in a terminal, in this folder: ", h("code", {}, "magpie add .")),
      );

/**
 * Nothing fits the question.
 * @param {Asked} asked
 * @param {(() => void) | null} guess shows what comes closest
 * @param {() => void} all shows everything
 */
export const nothing = (asked, guess, all) =>
  state(
    "search",
    asked.listing && !asked.line ? "No pictures here" : "Nothing fits",
    h("p", {}, asked.sentence || "No picture of this folder fits what you asked."),
    h(
      "div.actions",
      {},
      guess && action("Show what comes closest", guess, true),
      action("Show all pictures", all),
    ),
  );

/** The server says that it can't answer. @param {string} sentence @param {() => void} again */
export const trouble = (sentence, again) =>
  state(
    "warning",
    "That did not work",
    h("p", {}, sentence),
    h("div.actions", {}, action("Try again", again)),
  );

/** Below the last picture that fits. @param {() => void} guess */
export const endOfFits = (guess) => [
  h("p", {}, "No other picture fits."),
  action("Show what comes closest besides", guess),
];

/**
 * How many pictures an answer has, in words; "" where the middle of the page says it.
 * @param {import("./answer.js").Answer} answer
 * @param {GalleryInfo} gallery
 */
export function sizeOf({ asked, count, more, sections }, gallery) {
  if (!count || !gallery.count) return "";
  if (asked.listing) return counted(count, "picture");
  if (!gallery.judges) return "Best matches first";
  const fit = sections.find(({ key }) => key === "closest")?.start;
  if (fit === 0) return "Nothing fits";
  if (more && fit === undefined && asked.total === null) return `${number(count)}+ matches`;
  const matches = counted(fit ?? asked.total ?? count, "match", "matches");
  const doubtful = sections[0].key === "fits" && sections[1]?.key === "perhaps";
  return doubtful ? `${matches}, ${number(sections[1].start)} sure` : matches;
}
