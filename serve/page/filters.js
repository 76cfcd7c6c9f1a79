/** The panels that narrow the pictures: folders as a tree, and months. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { arrows } from "./menu.js";
import { counted, lastPart, monthName, number, shortMonth } from "./words.js";

/**
 * @typedef {object} Branch
 * @property {string} path
 * @property {number} count with all folders in it
 * @property {Branch[]} branches
 */

/**
 * Folders as a tree; a folder that holds only folders is in it, too.
 * @param {GalleryInfo["folders"]} folders
 * @returns {Branch[]}
 */
export function tree(folders) {
  /** @type {Branch} */
  const root = { path: "", count: 0, branches: [] };
  /** @type {Map<string, Branch>} */
  const all = new Map([["", root]]);
  /** @param {string} path @returns {Branch} */
  const at = (path) => {
    const known = all.get(path);
    if (known) return known;
    const branch = { path, count: 0, branches: [] };
    all.set(path, branch);
    at(above(path)).branches.push(branch);
    return branch;
  };
  for (const { path, count } of folders) for (let up = path; up; up = above(up)) at(up).count += count;
  for (const { branches } of all.values()) branches.sort((one, other) => one.path.localeCompare(other.path));
  return root.branches;
}

/** "a/b" → "a" @param {string} path */
const above = (path) => path.slice(0, Math.max(0, path.lastIndexOf("/")));

/**
 * The tree of folders, to choose one.
 * @param {GalleryInfo} gallery
 * @param {string | null} chosen
 * @param {(path: string | null) => void} choose
 */
export function folderTree(gallery, chosen, choose) {
  /**
   * @param {string | null} path
   * @param {string} name
   * @param {number} count
   * @param {number} level
   * @param {boolean | null} open
   */
  const item = (path, name, count, level, open) =>
    h(
      "div.folder",
      {
        role: "treeitem",
        tabindex: path === chosen ? "0" : "-1",
        "aria-level": level,
        "aria-selected": String(path === chosen),
        "aria-expanded": open === null ? null : String(open),
        style: { "--level": level },
        onclick: (/** @type {MouseEvent} */ event) => {
          const twist = /** @type {Element} */ (event.target).closest(".twist");
          if (twist) toggle(/** @type {HTMLElement} */ (event.currentTarget));
          else choose(path);
        },
      },
      h("span.twist", {}, open !== null && icon("right")),
      h("span.folder-name", {}, name),
      h("span.count", {}, number(count)),
    );
  /** @param {Branch} branch @param {number} level @returns {Node[]} */
  const drawn = ({ path, count, branches }, level) => {
    const open = branches.length ? level === 1 || (chosen ?? "").startsWith(`${path}/`) : null;
    return [
      item(path, lastPart(path), count, level, open),
      ...(branches.length
        ? [h("div", { role: "group", hidden: !open }, ...branches.flatMap((one) => drawn(one, level + 1)))]
        : []),
    ];
  };
  const element = h(
    "div.folders",
    { role: "tree", "aria-label": "Folders" },
    item(null, "All folders", gallery.count, 1, null),
    ...tree(gallery.folders).flatMap((branch) => drawn(branch, 1)),
  );
  element.addEventListener("keydown", (event) => {
    const items = /** @type {HTMLElement[]} */ ([...element.querySelectorAll("[role=treeitem]")]).filter(
      (one) => one.offsetParent,
    );
    const at = /** @type {HTMLElement | null} */ (document.activeElement);
    if (!at || !items.includes(at)) return;
    if (event.key === "Enter" || event.key === " ") at.click();
    else if (event.key === "ArrowRight" && at.getAttribute("aria-expanded") === "false") toggle(at);
    else if (event.key === "ArrowLeft" && at.getAttribute("aria-expanded") === "true") toggle(at);
    else return arrows(items, event);
    event.preventDefault();
  });
  return element;
}

/** Open or close a folder of the tree. @param {HTMLElement} item */
function toggle(item) {
  const open = item.getAttribute("aria-expanded") !== "true";
  item.setAttribute("aria-expanded", String(open));
  /** @type {HTMLElement} */ (item.nextElementSibling).hidden = !open;
}

/**
 * Years with their months. One click chooses a month, the next one a span; the year's name all of it.
 * @param {GalleryInfo} gallery
 * @param {{ since: string | null, until: string | null }} chosen
 * @param {(since: string | null, until: string | null) => void} choose
 */
export function calendar(gallery, { since, until }, choose) {
  /** @type {Map<string, Map<number, number>>} */
  const years = new Map();
  for (const { month, count } of gallery.months) {
    const year = month.slice(0, 4);
    if (!years.has(year)) years.set(year, new Map());
    years.get(year)?.set(Number(month.slice(5)), count);
  }
  const most = Math.max(1, ...gallery.months.map(({ count }) => count));
  /** @param {string} month */
  const pick = (month) => {
    const single = since !== null && since === until;
    if (!single || month === since) choose(month, month);
    else choose(month < since ? month : since, month < since ? since : month);
  };
  const inside = (/** @type {string} */ month) =>
    Boolean(since || until) && (!since || month >= since) && (!until || month <= until);
  return h(
    "div.calendar",
    {},
    h(
      "div.calendar-top",
      {},
      h("p.hint", {}, "Choose a month, then another one for all between them."),
      h(
        "button.text",
        { type: "button", disabled: !since && !until, onclick: () => choose(null, null) },
        "All time",
      ),
    ),
    ...[...years.keys()]
      .sort()
      .reverse()
      .map((year) =>
        h(
          "div.year",
          { role: "group", "aria-label": year },
          h(
            "button.year-name",
            { type: "button", title: `All of ${year}`, onclick: () => choose(`${year}-01`, `${year}-12`) },
            year,
          ),
          h(
            "div.months",
            {},
            ...Array.from({ length: 12 }, (_, at) => {
              const month = `${year}-${String(at + 1).padStart(2, "0")}`;
              const count = years.get(year)?.get(at + 1) ?? 0;
              const label = `${monthName(month)}, ${counted(count, "picture")}`;
              return h(
                "button.month",
                {
                  type: "button",
                  title: label,
                  "aria-label": label,
                  "aria-pressed": String(inside(month)),
                  disabled: count === 0,
                  dataset: { month },
                  style: { "--full": count ? 0.15 + (0.85 * Math.log1p(count)) / Math.log1p(most) : 0 },
                  onclick: () => pick(month),
                },
                shortMonth(at + 1),
              );
            }),
          ),
        ),
      ),
  );
}
