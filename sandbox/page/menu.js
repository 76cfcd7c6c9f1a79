/** Context menus: opened by right-click, by the menu key, or from a "…" button. */

import { arrowFocus, h } from "./dom.js";
import { icon } from "./icons.js";

/** @type {{ menu: HTMLElement, onLeave(event: PointerEvent): void, onKey(event: KeyboardEvent): void } | null} */
let current = null;

/**
 * Open a menu at the position of an event. items: {label, icon?, danger?, run} · {label, icon?, items} (a submenu)
 * · {heading} · {note} · null for a line. Choosing an item or clicking outside closes it.
 * @param {MouseEvent} event
 * @param {(MenuItem | null)[]} items
 * @param {string} [label]
 */
export function openMenu(event, items, label = "Menu") {
  event.preventDefault();
  closeMenu();
  const before = document.activeElement;
  const menu = drawMenu(items, label, () => closeMenu(before));
  current = { menu, onLeave, onKey };

  /** @param {PointerEvent} leave */
  function onLeave(leave) {
    if (!menu.contains(/** @type {Node | null} */ (leave.target))) closeMenu();
  }

  /** @param {KeyboardEvent} key */
  function onKey(key) {
    if (key.key === "Escape" || key.key === "Tab") {
      key.preventDefault();
      key.stopPropagation();
      closeMenu(before);
    }
  }

  document.addEventListener("pointerdown", onLeave, true);
  document.addEventListener("keydown", onKey, true);
  window.addEventListener("blur", closeMenu);
  document.body.append(menu);
  place(menu, anchorOf(event));
  itemsOf(menu)[0]?.focus({ preventScroll: true });
}

/** @param {unknown} [focusBack] */
export function closeMenu(focusBack) {
  if (!current) return;
  document.removeEventListener("pointerdown", current.onLeave, true);
  document.removeEventListener("keydown", current.onKey, true);
  window.removeEventListener("blur", closeMenu);
  current.menu.remove();
  current = null;
  if (focusBack instanceof HTMLElement) focusBack.focus({ preventScroll: true });
}

/**
 * @param {(MenuItem | null)[]} items
 * @param {string} label
 * @param {() => void} done
 * @returns {HTMLElement}
 */
function drawMenu(items, label, done) {
  const menu = h(
    "div.menu",
    { role: "menu", "aria-label": label },
    items.map((item) => drawItem(item, done)),
  );
  menu.addEventListener("keydown", (event) => {
    const own = itemsOf(menu);
    if (own.includes(/** @type {HTMLElement} */ (document.activeElement)) && arrowFocus(own, event))
      event.stopPropagation();
  });
  return menu;
}

/**
 * @param {MenuItem | null} item
 * @param {() => void} done
 * @returns {HTMLElement}
 */
function drawItem(item, done) {
  if (!item) return h("hr", { role: "separator" });
  if (item.heading) return h("p.menu-heading", { role: "presentation" }, item.heading);
  if (item.note) return h("p.menu-note", { role: "presentation" }, item.note);
  if (item.items) return drawSubmenu(item, done);
  const run = () => {
    done();
    item.run?.();
  };
  return h(
    "button.menu-item",
    {
      type: "button",
      role: "menuitem",
      class: item.danger ? "danger" : "",
      onclick: run,
      onpointerenter: takeFocus,
    },
    h("span", {}, item.label, item.detail && h("small", {}, item.detail)),
    item.icon && icon(item.icon),
  );
}

/**
 * @param {MenuItem} item
 * @param {() => void} done
 * @returns {HTMLElement}
 */
function drawSubmenu(item, done) {
  const opener = h(
    "button.menu-item",
    {
      type: "button",
      role: "menuitem",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      onpointerenter: takeFocus,
    },
    h("span", {}, item.label),
    icon("right"),
  );
  const submenu = drawMenu(item.items ?? [], item.label ?? "", done);
  const holder = h("div.submenu-holder", {}, opener, submenu);
  /** @param {boolean} on */
  const show = (on) => {
    holder.classList.toggle("open", on);
    opener.setAttribute("aria-expanded", String(on));
    if (on) keepInside(submenu, opener);
  };
  holder.addEventListener("pointerenter", () => show(true));
  holder.addEventListener("pointerleave", () => show(false));
  opener.addEventListener("click", () => {
    show(true);
    itemsOf(submenu)[0]?.focus();
  });
  holder.addEventListener("keydown", (event) => {
    const enter = event.key === "ArrowRight" && document.activeElement === opener;
    const leave = event.key === "ArrowLeft" && submenu.contains(document.activeElement);
    if (!enter && !leave) return;
    event.preventDefault();
    event.stopPropagation();
    show(enter);
    (enter ? itemsOf(submenu)[0] : opener)?.focus();
  });
  return holder;
}

/**
 * The pointer and the arrow keys mark the same item.
 * @param {PointerEvent} event
 */
const takeFocus = (event) => /** @type {HTMLElement} */ (event.currentTarget).focus({ preventScroll: true });

/**
 * A menu's own items, without those of its submenus.
 * @param {HTMLElement} menu
 */
function itemsOf(menu) {
  const items = [...menu.children]
    .map((child) => (child.matches(".menu-item") ? child : child.querySelector?.(":scope > .menu-item")))
    .filter(Boolean);
  return /** @type {HTMLElement[]} */ (items);
}

/** @param {MouseEvent} event */
function anchorOf(event) {
  if (event.type === "contextmenu" && (event.clientX || event.clientY) && event.button !== -1) {
    return { x: event.clientX, y: event.clientY };
  }
  const anchor = /** @type {Element} */ (event.currentTarget ?? event.target);
  const box = anchor.getBoundingClientRect();
  return { x: Math.min(box.right, box.left + 240), y: Math.min(box.bottom, box.top + 40) };
}

/**
 * @param {HTMLElement} menu
 * @param {{ x: number, y: number }} place
 */
function place(menu, { x, y }) {
  const { offsetWidth: width, offsetHeight: height } = menu;
  menu.style.left = `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`;
  menu.style.top = `${Math.max(8, Math.min(y, innerHeight - height - 8))}px`;
}

/**
 * @param {HTMLElement} submenu
 * @param {HTMLElement} opener
 */
function keepInside(submenu, opener) {
  submenu.classList.remove("leftwards");
  const box = opener.getBoundingClientRect();
  submenu.classList.toggle("leftwards", box.right + submenu.offsetWidth > innerWidth - 8);
  submenu.style.top = `${Math.min(0, innerHeight - 8 - box.top - submenu.offsetHeight)}px`;
}
