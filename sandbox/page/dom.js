/**
 * Make elements without markup: all strings become text nodes.
 * This page never uses innerHTML, so a message can't become HTML.
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element from "tag.class.class", its properties and its children.
 * Properties: onclick… are listeners; dataset and style take objects; true/false are bare or absent
 * attributes; everything else is an attribute. Children: nodes, strings, arrays; null/false are skipped.
 * @template {string} Spec
 * @param {Spec} spec
 * @param {Properties} [properties]
 * @param {...Child} children
 * @returns {ElementOf<Spec>}
 */
export function h(spec, properties = {}, ...children) {
  const [tag, ...classes] = spec.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  setProperties(element, properties);
  append(element, children);
  return /** @type {any} */ (element); // TypeScript doesn't know the type of a computed tag name
}

/**
 * An SVG element, for the icons and the mark.
 * @param {string} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...Node} children
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  append(element, children);
  return element;
}

/**
 * @param {Element} element
 * @param {Child[]} children
 */
export function append(element, children) {
  for (const child of /** @type {any[]} */ (children).flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

/**
 * Replace the content of an element by `children`; it skips what append() skips.
 * @param {Element} element
 * @param {...Child} children
 */
export function replace(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

/**
 * @param {HTMLElement} element
 * @param {Properties} properties
 */
function setProperties(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.classList.add(...value.split(" ").filter(Boolean));
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "style") setStyle(element, value);
    else if (name === "value") /** @type {HTMLInputElement} */ (element).value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
}

/**
 * @param {HTMLElement} element
 * @param {NonNullable<Properties["style"]>} style
 */
function setStyle(element, style) {
  for (const [name, value] of Object.entries(style)) {
    if (value !== null && value !== undefined) element.style.setProperty(name, String(value));
  }
}

/**
 * The elements in `root` that the Tab key reaches, in order.
 * @param {HTMLElement} root
 */
export function focusable(root) {
  /** @type {NodeListOf<HTMLElement>} */
  const candidates = root.querySelectorAll(
    'a[href], button:not([disabled]), input:not([disabled]), textarea, select, [tabindex="0"]',
  );
  return [...candidates].filter((element) => element.offsetParent !== null);
}

/**
 * Keep Tab inside `root` while it is open.
 * @param {HTMLElement} root
 * @param {KeyboardEvent} event
 */
export function trapFocus(root, event) {
  if (event.key !== "Tab") return;
  const stops = focusable(root);
  if (!stops.length) return event.preventDefault();
  const edge = event.shiftKey ? stops[0] : stops[stops.length - 1];
  if (document.activeElement === edge || !root.contains(document.activeElement)) {
    event.preventDefault();
    (event.shiftKey ? stops[stops.length - 1] : stops[0]).focus();
  }
}

/**
 * Move focus among `items` with the arrow keys, Home and End. True when the key was one of them.
 * @param {HTMLElement[]} items
 * @param {KeyboardEvent} event
 */
export function arrowFocus(items, event) {
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
  if (next === undefined || !items.length) return false;
  event.preventDefault();
  items[next].focus();
  return true;
}
