/** Line icons on a 24 × 24 grid. */

import { h, svg } from "./dom.js";

/** @typedef {keyof typeof PATHS} IconName */

const PATHS = {
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13z M15.5 15.5 21 21",
  close: "M6 6l12 12 M18 6 6 18",
  camera: "M4 8h3.5L9 5.5h6L16.5 8H20v11H4z M12 16.5a3.3 3.3 0 1 0 0-6.6 3.3 3.3 0 0 0 0 6.6z",
  folder: "M3.5 6h6l2 2.5h9v10.5h-17z",
  calendar: "M4 6h16v14H4z M4 10.5h16 M8.5 3.5V7 M15.5 3.5V7",
  sort: "M7 5v14 M3.5 15.5 7 19l3.5-3.5 M13 7h8 M13 12h6 M13 17h4",
  down: "M6 9.5l6 6 6-6",
  right: "M9.5 6l6 6-6 6",
  left: "M14.5 6l-6 6 6 6",
  up: "M6 14.5l6-6 6 6",
  plus: "M12 5v14 M5 12h14",
  minus: "M5 12h14",
  similar: "M9 9h11v11H9z M5 15H4V4h11v1",
  copies: "M8 8h12v12H8z M4.5 16V4.5H16",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z M12 11v5.5 M12 7.6v.2",
  grid: "M4 4h7v9H4z M13 4h7v5h-7z M13 11h7v9h-7z M4 15h7v5H4z",
  map: "M12 21s6.5-5.6 6.5-11a6.5 6.5 0 0 0-13 0c0 5.4 6.5 11 6.5 11z M12 12.3a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6z",
  sliders: "M4 7h9 M17 7h3 M15 4.8v4.4 M4 17h3 M11 17h9 M9 14.8v4.4",
  check: "M5 12.5l4.5 4.5L19 7.5",
  warning: "M12 4 3 20h18z M12 10v4.5 M12 17.3v.2",
  broken: "M4 5h16v6l-4-2-3 4-3-2-6 5z M4 19v-.5l6-4.5 3 2 3-4 4 2v5z",
  play: "M9 6.5v11l9-5.5z",
  zoom: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13z M15.5 15.5 21 21 M10.5 7.8v5.4 M7.8 10.5h5.4",
  open: "M13 4h7v7 M20 4l-9 9 M17 14v6H4V7h6",
};

/**
 * An icon by name. It is decoration; the element around it has the label.
 * @param {IconName} name
 */
export function icon(name) {
  return svg(
    "svg",
    { class: `icon icon-${name}`, viewBox: "0 0 24 24", "aria-hidden": "true" },
    svg("path", { d: PATHS[name] }),
  );
}

/**
 * A round button that shows only an icon. Its label is its name and its tooltip.
 * @param {IconName} name
 * @param {string} label
 * @param {(event: MouseEvent) => void} onclick
 * @param {Properties} [properties]
 */
export function iconButton(name, label, onclick, properties = {}) {
  return h(
    "button.round",
    { type: "button", "aria-label": label, title: label, onclick, ...properties },
    icon(name),
  );
}
