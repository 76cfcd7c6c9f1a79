/**
 * Build elements without markup: whatever strings come in, they become text nodes.
 * Nothing in this page uses innerHTML, so a message can never turn into HTML.
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element from "tag.class.class", its properties and its children.
 * Properties: onclick… are listeners; dataset and style take objects; true/false are bare or absent
 * attributes; everything else is an attribute. Children: nodes, strings, arrays; null/false are skipped.
 */
export function h(spec, properties = {}, ...children) {
  const [tag, ...classes] = spec.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  setProperties(element, properties);
  append(element, children);
  return element;
}

/** An SVG element, for the icons and the mark. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  append(element, children);
  return element;
}

export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

/** Make `children` the whole content of an element; what append() skips is skipped here too. */
export function replace(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

function setProperties(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.classList.add(...value.split(" ").filter(Boolean));
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "style") setStyle(element, value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
}

function setStyle(element, style) {
  for (const [name, value] of Object.entries(style)) {
    if (value !== null && value !== undefined) element.style.setProperty(name, value);
  }
}

/** The elements in `root` that the Tab key reaches, in order. */
export function focusable(root) {
  const candidates = root.querySelectorAll(
    'a[href], button:not([disabled]), input:not([disabled]), textarea, select, [tabindex="0"]',
  );
  return [...candidates].filter((element) => element.offsetParent !== null);
}

/** Keep Tab inside `root` while it is open. */
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

/** Move focus among `items` with the arrow keys, Home and End. True when the key was one of them. */
export function arrowFocus(items, event) {
  const at = items.indexOf(document.activeElement);
  const last = items.length - 1;
  const next = {
    ArrowDown: at >= last ? 0 : at + 1,
    ArrowUp: at <= 0 ? last : at - 1,
    Home: 0,
    End: last,
  }[event.key];
  if (next === undefined || !items.length) return false;
  event.preventDefault();
  items[next].focus();
  return true;
}
