/**
 * Make elements without markup: all strings become text nodes.
 * This page never uses innerHTML, so the name of a file can't become HTML.
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element from "tag.class.class", its properties and its children.
 * Properties: onclick… are listeners; dataset and style take objects; true/false are bare or absent
 * attributes; everything else is an attribute. Null and false children are skipped.
 * @template {string} Spec
 * @param {Spec} spec
 * @param {Properties} [properties]
 * @param {...Child} children
 * @returns {ElementOf<Spec>}
 */
export function h(spec, properties = {}, ...children) {
  const [tag, ...classes] = spec.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "style")
      for (const [key, one] of Object.entries(value)) element.style.setProperty(key, String(one));
    else element.setAttribute(name, value === true ? "" : value);
  }
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
  element.append(...children);
  return element;
}

/**
 * @param {Element} element
 * @param {Child[]} children
 */
function append(element, children) {
  for (const child of /** @type {any[]} */ (children).flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/**
 * Replace the content of an element by `children`; it skips what h() skips.
 * @param {Element} element
 * @param {...Child} children
 */
export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

/**
 * The element with this id; the page's markup has it.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 */
export function byId(id) {
  return /** @type {T} */ (document.getElementById(id));
}
