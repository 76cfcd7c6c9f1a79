/**
 * Discord's markdown → a tree of plain objects, without DOM or state. prose.js draws the tree.
 *
 * Blocks: heading (level), subtext, quote, list (ordered, items), code (language, text), line.
 * Inline: text, strong, em, underline, strike, spoiler, code, link, url, user, channel, role, everyone,
 * emoji, time, command. A node is {type, …, children?}.
 */

/**
 * A node, and the position in the text after it.
 * @typedef {{ node: MarkdownNode, end: number }} Found
 */

/** @typedef {{ indent: number, ordered: boolean, number: number, children: MarkdownNode[] }} ListItem */

const MAX_DEPTH = 12; // deeper marks stay text

/**
 * The tree of a message's content or of a text display.
 * @param {string} text
 */
export function parse(text) {
  return parseBlocks(text.replaceAll("\r\n", "\n"), 0);
}

/**
 * The text without marks, for previews and labels.
 * @param {string} text
 */
export function plain(text) {
  return flatten(parse(text)).replace(/\s+/g, " ").trim();
}

// ---- blocks

const FENCE = /```(?:([a-zA-Z0-9_+.#-]+)\n)?\n*([\s\S]+?)\n*```/y;
const HEADING = /(#{1,3}) +(.+?)(?:\n|$)/y;
const SUBTEXT = /-# +(.+?)(?:\n|$)/y;
const QUOTE_REST = />>> ([\s\S]*)$/y;
const QUOTE = /(?:> ?[^\n]*(?:\n|$))+/y;
const LIST_ITEM = /( *)([-*]|\d{1,9}\.) +([^\n]+)(?:\n|$)/y;

/**
 * @param {string} text
 * @param {number} depth
 * @returns {MarkdownNode[]}
 */
function parseBlocks(text, depth) {
  /** @type {MarkdownNode[]} */
  const blocks = [];
  let at = 0;
  while (at < text.length) {
    const found = depth < MAX_DEPTH ? blockAt(text, at, depth) : null;
    if (found) {
      blocks.push(found.node);
      at = found.end;
    } else {
      const end = lineEnd(text, at);
      blocks.push({ type: "line", children: parseInline(text.slice(at, end), depth) });
      at = end + (text[end] === "\n" ? 1 : 0);
    }
  }
  return blocks;
}

/**
 * @param {string} text
 * @param {number} at
 * @param {number} depth
 * @returns {Found | null}
 */
function blockAt(text, at, depth) {
  return (
    fenceAt(text, at) ?? headingAt(text, at, depth) ?? quoteAt(text, at, depth) ?? listAt(text, at, depth)
  );
}

/**
 * @param {string} text
 * @param {number} at
 */
function fenceAt(text, at) {
  const match = matchAt(FENCE, text, at);
  if (!match) return null;
  const end = at + match[0].length;
  return {
    node: { type: "codeblock", language: match[1] ?? "", text: match[2] },
    end: text[end] === "\n" ? end + 1 : end,
  };
}

/**
 * @param {string} text
 * @param {number} at
 * @param {number} depth
 */
function headingAt(text, at, depth) {
  const heading = matchAt(HEADING, text, at);
  if (heading) {
    const node = { type: "heading", level: heading[1].length, children: parseInline(heading[2], depth) };
    return { node, end: at + heading[0].length };
  }
  const subtext = matchAt(SUBTEXT, text, at);
  if (!subtext) return null;
  return { node: { type: "subtext", children: parseInline(subtext[1], depth) }, end: at + subtext[0].length };
}

/**
 * @param {string} text
 * @param {number} at
 * @param {number} depth
 * @returns {Found | null}
 */
function quoteAt(text, at, depth) {
  const rest = matchAt(QUOTE_REST, text, at);
  if (rest) return { node: { type: "quote", children: parseBlocks(rest[1], depth + 1) }, end: text.length };
  if (!text.startsWith("> ", at)) return null;
  const [lines] = /** @type {RegExpExecArray} */ (matchAt(QUOTE, text, at));
  const inner = lines.replace(/\n$/, "").replace(/^> ?/gm, "");
  return { node: { type: "quote", children: parseBlocks(inner, depth + 1) }, end: at + lines.length };
}

/**
 * @param {string} text
 * @param {number} at
 * @param {number} depth
 */
function listAt(text, at, depth) {
  const items = [];
  let end = at;
  for (let match; (match = matchAt(LIST_ITEM, text, end)); end += match[0].length) {
    items.push({
      indent: match[1].length,
      ordered: /\d/.test(match[2]),
      number: parseInt(match[2], 10),
      children: parseInline(match[3], depth),
    });
  }
  return items.length ? { node: nestItems(items), end } : null;
}

/**
 * Flat items with indents → lists within lists.
 * @param {ListItem[]} items
 */
function nestItems(items) {
  const [first] = items;
  /** @type {MarkdownNode} */
  const list = { type: "list", ordered: first.ordered, start: first.number || 1, items: [] };
  for (let i = 0; i < items.length;) {
    let j = i + 1;
    while (j < items.length && items[j].indent > first.indent) j += 1;
    const children = [...items[i].children];
    if (j > i + 1) children.push(nestItems(items.slice(i + 1, j)));
    list.items.push(children);
    i = j;
  }
  return list;
}

/**
 * @param {string} text
 * @param {number} at
 */
function lineEnd(text, at) {
  // a fence may begin within a line; the line is the part before it
  const newline = text.indexOf("\n", at);
  const end = newline < 0 ? text.length : newline;
  const fence = text.indexOf("```", at + 1);
  return fence > 0 && fence < end && matchAt(FENCE, text, fence) ? fence : end;
}

// ---- inline

/** @type {[RegExp, (match: RegExpExecArray, depth: number) => MarkdownNode][]} */
const INLINE = [
  [/\\([^0-9A-Za-z\s])/y, ([, mark]) => ({ type: "text", text: mark })],
  [/(`+)([\s\S]*?[^`])\1(?!`)/y, ([, , text]) => ({ type: "code", text: text.replace(/^ (.*) $/, "$1") })],
  [/<@!?(\d{5,20})>/y, ([, id]) => ({ type: "user", id })],
  [/<#(\d{5,20})>/y, ([, id]) => ({ type: "channel", id })],
  [/<@&(\d{5,20})>/y, ([, id]) => ({ type: "role", id })],
  [/@(everyone|here)\b/y, ([, name]) => ({ type: "everyone", name })],
  [
    /<(a?):(\w{2,32}):(\d{5,20})>/y,
    ([, animated, name, id]) => ({ type: "emoji", name, id, animated: !!animated }),
  ],
  [
    /<t:(-?\d{1,13})(?::([tTdDfFR]))?>/y,
    ([, seconds, style]) => ({ type: "time", seconds: Number(seconds), style: style ?? "f" }),
  ],
  [/<\/([-_ \p{L}\p{N}]{1,98}):(\d{5,20})>/uy, ([, name, id]) => ({ type: "command", name, id })],
  [
    /\[((?:\\.|[^[\]\\]|\[[^[\]]*\])+)\]\(<?(https?:\/\/[^\s<>()]+(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?: +"([^"]*)")?\)/y,
    ([, label, url, title], depth) => ({ type: "link", url, title, children: parseInline(label, depth + 1) }),
  ],
  [/<(https?:\/\/[^\s<>]+)>/y, ([, url]) => ({ type: "url", url })],
  [/https?:\/\/[^\s<>]+[^\s<>.,:;"'\])]/y, ([url]) => ({ type: "url", url: balanced(url) })],
  [/\|\|([\s\S]+?)\|\|/y, nested("spoiler")],
  [
    /\*\*\*([\s\S]+?)\*\*\*(?!\*)/y,
    ([, text], depth) => ({
      type: "strong",
      children: [{ type: "em", children: parseInline(text, depth + 1) }],
    }),
  ],
  [/\*\*([\s\S]+?)\*\*(?!\*)/y, nested("strong")],
  [/__([\s\S]+?)__(?!_)/y, nested("underline")],
  [/~~([\s\S]+?)~~(?!~)/y, nested("strike")],
  [/\*(?=\S)((?:\*\*|\\[\s\S]|[^*\\])+?)(?<=\S)\*(?!\*)/y, nested("em")],
  [/_(?=\S)((?:__|\\[\s\S]|[^_\\])+?)(?<=\S)_(?![\w_])/y, nested("em")],
];
const MARKS = /[\\`<@[h|*_~]/g; // where a rule can begin; everything else is text

/**
 * @param {string} type
 * @returns {(match: RegExpExecArray, depth: number) => MarkdownNode}
 */
function nested(type) {
  return ([, text], depth) => ({ type, children: parseInline(text, depth + 1) });
}

/**
 * @param {string} text
 * @param {number} depth
 * @returns {MarkdownNode[]}
 */
function parseInline(text, depth) {
  /** @type {MarkdownNode[]} */
  const nodes = [];
  let pending = 0; // start of the text that belongs to no node yet
  /** @param {number} end */
  const takeText = (end) => {
    if (end > pending) nodes.push({ type: "text", text: text.slice(pending, end) });
  };
  for (let at = nextMark(text, 0); at >= 0;) {
    const found = depth < MAX_DEPTH ? inlineAt(text, at, depth) : null;
    if (!found) {
      at = nextMark(text, at + 1);
      continue;
    }
    takeText(at);
    nodes.push(found.node);
    pending = at + found.length;
    at = nextMark(text, pending);
  }
  takeText(text.length);
  return nodes;
}

/**
 * @param {string} text
 * @param {number} at
 * @param {number} depth
 * @returns {{ node: MarkdownNode, length: number } | null}
 */
function inlineAt(text, at, depth) {
  // underscores in snake_case and file_names are not emphasis
  const insideWord = text[at] === "_" && /\w/.test(text[at - 1] ?? "");
  for (const [rule, build] of INLINE) {
    const match = matchAt(rule, text, at);
    if (!match || (insideWord && text[at] === "_")) continue;
    const node = build(match, depth);
    return { node, length: node.type === "url" && !match[1] ? node.url.length : match[0].length };
  }
  return null;
}

/**
 * @param {string} text
 * @param {number} from
 */
function nextMark(text, from) {
  MARKS.lastIndex = from;
  return MARKS.exec(text)?.index ?? -1;
}

/**
 * The closing parenthesis after a bare address in parentheses doesn't belong to it.
 * @param {string} url
 */
function balanced(url) {
  while (url.endsWith(")") && url.split(")").length > url.split("(").length) url = url.slice(0, -1);
  return url;
}

/**
 * @param {RegExp} rule
 * @param {string} text
 * @param {number} at
 */
function matchAt(rule, text, at) {
  rule.lastIndex = at;
  return rule.exec(text);
}

/**
 * @param {MarkdownNode[]} nodes
 * @returns {string}
 */
function flatten(nodes) {
  return nodes
    .map((node) => {
      if (node.type === "spoiler") return "▇▇▇";
      if (node.type === "url") return node.url;
      if (node.type === "emoji") return `:${node.name}:`;
      if (node.type === "command") return `/${node.name}`;
      if (node.type === "everyone") return `@${node.name}`;
      if (node.type === "list") return node.items.map(flatten).join(" ");
      const inner = node.text ?? flatten(node.children ?? []);
      return ["text", "strong", "em", "underline", "strike", "code", "link"].includes(node.type)
        ? inner
        : `${inner} `;
    })
    .join("");
}
