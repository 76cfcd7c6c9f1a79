/** A picture from outside as the question: dropped, pasted, or chosen. */

import { byId, h } from "./dom.js";
import { icon } from "./icons.js";

/** @param {(file: File) => void} ask */
export function takePictures(ask) {
  const veil = h(
    "div.veil",
    { hidden: true },
    h("div", {}, icon("camera"), h("p", {}, "Drop a picture to find others like it")),
  );
  document.body.append(veil);
  /** @param {DataTransfer | null} data */
  const take = (data) => {
    const file = [...(data?.files ?? [])].find(({ type }) => type.startsWith("image/"));
    if (file) ask(file);
    return Boolean(file);
  };
  const hasFiles = (/** @type {DragEvent} */ event) => Boolean(event.dataTransfer?.types.includes("Files"));
  document.addEventListener("dragenter", (event) => hasFiles(event) && (veil.hidden = false));
  document.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && (veil.hidden = true));
  document.addEventListener("drop", (event) => {
    veil.hidden = true;
    if (!hasFiles(event)) return;
    event.preventDefault(); // else the browser would leave the page for the picture
    take(event.dataTransfer);
  });
  document.addEventListener("paste", (event) => take(event.clipboardData) && event.preventDefault());
  const input = /** @type {HTMLInputElement} */ (byId("picture-file"));
  byId("choose-picture").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    if (input.files?.[0]) ask(input.files[0]);
    input.value = "";
  });
}
