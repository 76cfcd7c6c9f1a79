/** Line icons on a 24 × 24 grid, and the magpie, which is this page's logo. */

import { svg } from "./dom.js";

/** @typedef {keyof typeof PATHS} IconName */

const PATHS = {
  hash: "M10 4 8 20 M16 4l-2 16 M4.5 9h16 M3.5 15h16",
  news: "M4 10v4l3 .5L9 20h2.5l-1-5L18 18V6L7 9.5z M21 10v4",
  speaker: "M4 9.5v5h3.5L12 19V5L7.5 9.5z M15.5 9a4 4 0 0 1 0 6 M18 6.5a8 8 0 0 1 0 11",
  forum: "M4 5h11v8H9l-3 3v-3H4z M9 16h5l4 3.5V16h2V8h-2",
  thread: "M6 4v9a4 4 0 0 0 4 4h9 M15 13l4 4-4 4",
  lock: "M6 11h12v9H6z M8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  adult: "M12 3 2.5 20h19z M12 10v4 M12 17v.2",
  reply: "M10 5 4 11l6 6 M4 11h9a7 7 0 0 1 7 7v1",
  more: "M5.5 12h.01 M12 12h.01 M18.5 12h.01",
  copy: "M9 9h11v11H9z M5 15H4V4h11v1",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1 M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1",
  trash: "M4.5 7h15 M9 7V4h6v3 M6.5 7l1 13h9l1-13 M10 11v5 M14 11v5",
  pencil: "M4 20l1-4L16 5l3 3L8 19z M14 7l3 3",
  plus: "M12 5v14 M5 12h14",
  picture: "M4 5h16v14H4z M4 16l5-5 4 4 2.5-2.5L20 17 M15.5 9.2h.01",
  close: "M6 6l12 12 M18 6 6 18",
  down: "M6 9.5l6 6 6-6",
  right: "M9.5 6l6 6-6 6",
  left: "M14.5 6l-6 6 6 6",
  send: "M4 12 20 4l-5 16-3.5-6.5z M11.5 13.5 20 4",
  people:
    "M9 11a3.2 3.2 0 1 0 0-6.4A3.2 3.2 0 0 0 9 11z M3 20c0-3.5 2.5-5.5 6-5.5s6 2 6 5.5 M15.5 5a3.2 3.2 0 0 1 0 5.6 M17.5 15c2.2.6 3.5 2.3 3.5 5",
  swap: "M4 8h14 M14 4l4 4-4 4 M20 16H6 M10 12l-4 4 4 4",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z M12 14.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6z",
  hidden:
    "M4 4l16 16 M9.5 5.9A9 9 0 0 1 12 5.5c6 0 9.5 6.5 9.5 6.5a16 16 0 0 1-2.8 3.6 M6.2 7.7A16 16 0 0 0 2.5 12S6 18.5 12 18.5a9 9 0 0 0 4.4-1.2",
  open: "M13 4h7v7 M20 4l-9 9 M17 14v6H4V7h6",
  apps: "M5 5h5v5H5z M14 5h5v5h-5z M5 14h5v5H5z M16.5 13.5v6 M13.5 16.5h6",
  check: "M5 12.5l4.5 4.5L19 7.5",
  warning: "M12 4 3 20h18z M12 10v4.5 M12 17.3v.2",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z M8.5 14a4 4 0 0 0 7 0 M9 9.5v.5 M15 9.5v.5",
  bottom: "M12 4v13 M6 11.5l6 6 6-6 M5 21h14",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13z M15.5 15.5 21 21",
  bulb: "M9 18h6 M10 21h4 M8.5 15c-2-1.2-3-3-3-5a6.5 6.5 0 0 1 13 0c0 2-1 3.8-3 5z",
  language: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z M3 12h18 M12 3c3 3 3.5 6 3.5 9s-.5 6-3.5 9 M12 3c-3 3-3.5 6-3.5 9s.5 6 3.5 9",
  theme: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z M12 3v18 M12 7.5h6.5 M12 12h9 M12 16.5h6.5",
  forward: "M14 5l6 6-6 6 M20 11h-9a7 7 0 0 0-7 7v1",
  menu: "M4 7h16 M4 12h16 M4 17h16",
  bell: "M6 17V11a6 6 0 0 1 12 0v6l1.5 1.5h-15z M10 21h4",
  pin: "M9 4h6l-1 6 3 3v2H7v-2l3-3z M12 15v6",
  file: "M6 3h8l4 4v14H6z M14 3v4h4",
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

let marks = 0;

/** The magpie: black head and back, white shoulder and belly, a long tail with its blue-green sheen. */
export function magpie(size = 40) {
  const sheen = `sheen-${(marks += 1)}`; // each SVG needs an id of its own
  /**
   * @param {string} offset
   * @param {string} colour
   */
  const stop = (offset, colour) => svg("stop", { offset, "stop-color": colour });
  /**
   * @param {string} id
   * @param {string} x2
   * @param {string} y2
   */
  const gradient = (id, x2, y2) =>
    svg(
      "linearGradient",
      { id, x1: "0", y1: "0", x2, y2 },
      stop("0", "#5eead4"),
      stop("0.5", "#5b8cff"),
      stop("1", "#a78bfa"),
    );
  /**
   * @param {string} d
   * @param {Record<string, string>} attributes
   */
  const part = (d, attributes) => svg("path", { d, ...attributes });
  return svg(
    "svg",
    { class: "magpie", width: size, height: size, viewBox: "0 0 64 64", "aria-hidden": "true" },
    svg("defs", {}, gradient(sheen, "1", "1")),
    part("M33 33 60 57 53 60.5 25 44z", { fill: `url(#${sheen})` }), // tail
    part("M15 17C21 9 31 10 35 17c9 3 15 12 12 22-7 9-23 9-29 1-4-5-5-13-3-23z", { class: "magpie-body" }),
    part("M15 27c-1 6 0 11 3 14 6 8 20 9 27 1-9 2-14-2-17-7-3-6-7-9-13-8z", { class: "magpie-white" }), // belly
    part("M30 22c8 0 15 6 16.5 14-6 3-13 1-16-4-2-3.5-2-7-.5-10z", { class: "magpie-white" }), // shoulder
    part("M32 27c6 1 11 5 14.5 10C41 40 35 38 32.5 34c-1.3-2.2-1.3-4.8-.5-7z", { fill: `url(#${sheen})` }), // wing
    part("M15.5 16 5 19.5l10 2.5z", { class: "magpie-beak" }),
    svg("circle", { cx: "21", cy: "17.5", r: "1.9", class: "magpie-eye" }),
  );
}
