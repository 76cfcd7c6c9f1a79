/** A sentence that appears at the bottom, is read out by screen readers, and disappears by itself. */

import { h } from "./dom.js";

const SHOWN_MS = 4_200;
const shelf = h("div.toasts", { role: "status", "aria-live": "polite" });

/**
 * @param {string} sentence
 * @param {string} [kind]
 */
export function toast(sentence, kind = "plain") {
  if (!shelf.isConnected) document.body.append(shelf);
  const element = h("p.toast", { class: kind }, sentence);
  shelf.append(element);
  setTimeout(() => element.classList.add("leaving"), SHOWN_MS);
  setTimeout(() => element.remove(), SHOWN_MS + 300);
}
