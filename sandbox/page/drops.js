/** Files that are dragged over the chat: a veil says where they will go, and a drop passes them on. */

import { h } from "./dom.js";
import { icon } from "./icons.js";

/**
 * Watch `area`; returns the veil to put into it. accepts(): are drops allowed now? take(files): gets the files.
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
