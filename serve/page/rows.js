/** Rows of pictures, all as wide as the page: where each picture lies, before one of them is loaded. */

const NARROWEST = 0.5; // width / height; a picture beyond these is cut at its edges in the grid
const WIDEST = 3;
const UNKNOWN = 4 / 3;

/**
 * @typedef {object} Measures
 * @property {number} width of the page
 * @property {number} rowHeight about this high is a row
 * @property {number} gap between two pictures
 * @property {number} heading how high a heading is
 *
 * @typedef {object} Block a section with its heading
 * @property {number} top
 * @property {number} height
 * @property {number} heading 0 without a title
 *
 * @typedef {object} Layout
 * @property {Row[]} rows
 * @property {Block[]} blocks one for each section
 * @property {number} height of everything
 */

/**
 * The share of a picture's width in its height, as the grid shows it.
 * @param {number} hundredths 0 is unknown
 */
export const shape = (hundredths) =>
  hundredths ? Math.min(WIDEST, Math.max(NARROWEST, hundredths / 100)) : UNKNOWN;

/**
 * Put pictures side by side until their row is as wide as the page. 100,000 take some milliseconds.
 * @param {ArrayLike<number>} ratios width / height · 100 of each picture; 0 is unknown
 * @param {Section[]} sections
 * @param {Measures} measures
 * @returns {Layout}
 */
export function laidOut(ratios, sections, measures) {
  /** @type {Layout} */
  const layout = { rows: [], blocks: [], height: 0 };
  sections.forEach((section, index) => {
    const end = sections[index + 1]?.start ?? ratios.length;
    const heading = section.title ? measures.heading : 0;
    const top = layout.height;
    layout.height += heading;
    addRows(layout, ratios, section.start, end, index, measures);
    layout.blocks.push({ top, height: layout.height - top, heading });
  });
  return layout;
}

/**
 * @param {Layout} layout
 * @param {ArrayLike<number>} ratios
 * @param {number} start
 * @param {number} end
 * @param {number} section
 * @param {Measures} measures
 */
function addRows(layout, ratios, start, end, section, { width, rowHeight, gap }) {
  let first = start;
  let sum = 0; // of the shapes in the row
  /** @param {number} until @param {number} height */
  const close = (until, height) => {
    layout.rows.push({ top: layout.height, height, first, end: until, section });
    layout.height += height + gap;
    first = until;
  };
  for (let at = start; at < end; at += 1) {
    const wide = shape(ratios[at]);
    const fits = (width - gap * (at - first)) / (sum + wide); // the row's height with this picture
    if (fits > rowHeight) {
      sum += wide;
      continue;
    }
    const without = at > first ? (width - gap * (at - first - 1)) / sum : Infinity;
    if (without - rowHeight < rowHeight - fits) {
      close(at, without);
      sum = wide;
    } else {
      close(at + 1, fits);
      sum = 0;
    }
  }
  if (first < end) close(end, Math.min(rowHeight, (width - gap * (end - first - 1)) / sum));
}

/** The first row that ends below `y`; the last one if there is none. @param {Row[]} rows @param {number} y */
export function rowAt(rows, y) {
  return firstWhere(rows.length, (at) => rows[at].top + rows[at].height > y);
}

/** The row in which a picture is. @param {Row[]} rows @param {number} index */
export function rowOf(rows, index) {
  return firstWhere(rows.length, (at) => rows[at].end > index);
}

/**
 * The first number below `count` for which `holds`; the last one if there is none.
 * @param {number} count
 * @param {(at: number) => boolean} holds false for all up to some number, then true
 */
export function firstWhere(count, holds) {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return Math.max(0, low);
}
