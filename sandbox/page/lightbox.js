/** One picture, as large as the window allows. Esc closes it, arrow keys go to the next one. */

import { h, trapFocus } from "./dom.js";
import { icon } from "./icons.js";

/**
 * Show `pictures` [{src, name, alt, href}] starting at `index`. The focus returns when it closes.
 * @param {Picture[]} pictures
 * @param {number} [index]
 */
export function openLightbox(pictures, index = 0) {
  const before = document.activeElement;
  const image = h("img.lightbox-picture", { alt: "" });
  const caption = h("p.lightbox-caption");
  const original = h(
    "a.lightbox-open",
    { target: "_blank", rel: "noopener noreferrer" },
    icon("open"),
    "Open original",
  );
  /**
   * @param {number} by
   * @param {"left" | "right"} name
   * @param {string} label
   */
  const step = (by, name, label) =>
    h(
      `button.lightbox-step.lightbox-${name}`,
      { type: "button", "aria-label": label, onclick: () => show(index + by) },
      icon(name),
    );
  const dialog = h(
    "div.lightbox",
    { role: "dialog", "aria-modal": "true", "aria-label": "Picture" },
    h(
      "button.lightbox-close.round",
      { type: "button", "aria-label": "Close", onclick: close },
      icon("close"),
    ),
    pictures.length > 1 && step(-1, "left", "Previous picture"),
    h("figure", {}, image, h("figcaption", {}, caption, original)),
    pictures.length > 1 && step(1, "right", "Next picture"),
  );

  /** @param {number} next */
  function show(next) {
    index = (next + pictures.length) % pictures.length;
    const picture = pictures[index];
    const address = picture.href ?? picture.src ?? "";
    image.src = address;
    image.alt = picture.alt ?? "";
    caption.textContent = [picture.name, pictures.length > 1 && `${index + 1} of ${pictures.length}`]
      .filter(Boolean)
      .join(" · ");
    original.href = address;
  }

  function close() {
    document.removeEventListener("keydown", onKey, true);
    dialog.remove();
    if (before instanceof HTMLElement) before.focus();
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (event.key === "Escape") close();
    else if (event.key === "ArrowLeft") show(index - 1);
    else if (event.key === "ArrowRight") show(index + 1);
    else return trapFocus(dialog, event);
    event.preventDefault();
    event.stopPropagation();
  }

  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog || /** @type {Element} */ (target).tagName === "FIGURE") close();
  });
  document.addEventListener("keydown", onKey, true);
  document.body.append(dialog);
  show(index);
  /** @type {HTMLElement} */ (dialog.querySelector(".lightbox-close")).focus();
}
