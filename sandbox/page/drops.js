/** Files dragged over the chat: a veil says where they go, a drop hands them on. */

import { h } from "./dom.js";
import { icon } from "./icons.js";

/**
 * Watch `area`; gives the veil to put into it. accepts(): may one drop now? take(files): they were dropped.
 * @param {HTMLElement} area
 * @param {{ accepts: () => boolean, take: (files: File[]) => void }} options
 */
export function watchDrops(area, { accepts, take }) {
  const veil = h("div.drop-veil", { hidden: true }, icon("picture"), h("p", {}, "Drop to add"));
  let depth = 0; // dragenter and dragleave come for every child
  /** @param {number} by */
  const deepen = (by) => {
    depth = Math.max(0, depth + by);
    veil.hidden = depth === 0;
  };
  /**
   * @param {"dragenter" | "dragleave" | "dragover" | "drop"} type
   * @param {(event: DragEvent) => void} react
   */
  const on = (type, react) =>
    area.addEventListener(type, (event) => {
      if (event.dataTransfer?.types.includes("Files") && accepts()) react(event);
    });
  on("dragenter", () => deepen(1));
  on("dragleave", () => deepen(-1));
  on("dragover", (event) => event.preventDefault());
  on("drop", (event) => {
    event.preventDefault();
    deepen(-depth);
    take([...(event.dataTransfer?.files ?? [])]);
  });
  return veil;
}
