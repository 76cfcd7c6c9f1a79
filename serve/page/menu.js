/** Panels that open below a button: the browser closes them on Esc and on a click elsewhere. */

import { h, replace } from "./dom.js";

const EDGE = 12; // px to the edge of the window

/**
 * Let a button open a panel, whose content is made anew each time.
 * @param {HTMLElement} button
 * @param {string} label
 * @param {() => Node[]} content
 * @returns {{ element: HTMLElement, draw: () => void, close: () => void }}
 */
export function panel(button, label, content) {
  const element = h("div.panel", { popover: "auto", role: "dialog", "aria-label": label });
  document.body.append(element);
  button.setAttribute("aria-haspopup", "dialog");
  button.setAttribute("aria-expanded", "false");
  const draw = () => replace(element, ...content());
  const close = () => element.hidePopover();
  let openAtPress = false; // the press on the button closes the panel before the click comes
  button.addEventListener("pointerdown", () => (openAtPress = element.matches(":popover-open")));
  button.addEventListener("click", () => {
    if (openAtPress) return void (openAtPress = false);
    draw();
    element.showPopover();
    below(element, button);
    const first = element.querySelector("[aria-checked=true], [aria-selected=true], [tabindex='0'], button");
    /** @type {HTMLElement | null} */ (first)?.focus();
  });
  element.addEventListener("toggle", (event) => {
    const open = /** @type {ToggleEvent} */ (event).newState === "open";
    button.setAttribute("aria-expanded", String(open));
  });
  element.addEventListener("keydown", (event) => {
    const items = [...element.querySelectorAll("[role^=menuitem]")];
    if (items.length) arrows(/** @type {HTMLElement[]} */ (items), event);
  });
  return { element, draw, close };
}

/**
 * One choice of several in a panel.
 * @param {string} label
 * @param {boolean} chosen
 * @param {() => void} onclick
 */
export const choice = (label, chosen, onclick) =>
  h(
    "button.choice",
    { type: "button", role: "menuitemradio", "aria-checked": String(chosen), onclick },
    label,
  );

/**
 * Move the focus among items with the arrow keys, Home and End.
 * @param {HTMLElement[]} items
 * @param {KeyboardEvent} event
 */
export function arrows(items, event) {
  const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const last = items.length - 1;
  /** @type {Record<string, number>} */
  const steps = {
    ArrowDown: at >= last ? 0 : at + 1,
    ArrowUp: at <= 0 ? last : at - 1,
    Home: 0,
    End: last,
  };
  const next = steps[event.key];
  if (next === undefined) return;
  event.preventDefault();
  items[next].focus();
}

/** @param {HTMLElement} element @param {HTMLElement} button */
function below(element, button) {
  const { left, bottom } = button.getBoundingClientRect();
  const farthest = innerWidth - element.offsetWidth - EDGE;
  element.style.left = `${Math.max(EDGE, Math.min(left, farthest))}px`;
  element.style.top = `${bottom + 6}px`;
  element.style.maxHeight = `${innerHeight - bottom - 6 - EDGE}px`;
}
