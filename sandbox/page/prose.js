/** Markdown trees → elements. Mentions and links use the store, so they show names and can be followed. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { parse } from "./markdown.js";
import { cssColour, displayName } from "./people.js";
import { formatFull, formatTimestamp } from "./time.js";
import { withChannel } from "./unlisted.js";

const JUMP = /^https?:\/\/(?:\w+\.)?discord(?:app)?\.com\/channels\/(\d+)\/(\d+)(?:\/(\d+))?\/?$/;
const RELATIVE_TICK_MS = 15_000;
const LONE_EMOJI =
  /^(?:\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\uFE0F|\u200D\p{Extended_Pictographic})*\s*){1,8}$/u;

/**
 * {guildId, channelId, messageId?} of a link to a place in Discord; null for any other address.
 * @param {string | null | undefined} url
 */
export function jumpTarget(url) {
  const match = JUMP.exec(url ?? "");
  return match && { guildId: match[1], channelId: match[2], messageId: match[3] ?? null };
}

/**
 * Only http and https are links. javascript:, data: and others are not.
 * @param {string} url
 */
export function safeUrl(url) {
  try {
    return ["http:", "https:"].includes(new URL(url).protocol) ? url : null;
  } catch {
    return null;
  }
}

/**
 * Elements for markdown `text`.
 * context: {store, guild, go(target), run(commandText)?}
 * @param {string} text
 * @param {MessageContext} context
 */
export function prose(text, context) {
  const fragment = document.createDocumentFragment();
  fragment.append(...drawBlocks(parse(text), context));
  return fragment;
}

/**
 * Whether the text is only a few emoji, which are drawn large.
 * @param {string} text
 */
export const isLoneEmoji = (text) => LONE_EMOJI.test(text.trim());

/**
 * The common part of inline spoilers and of links, also in buttons.
 * @param {string} url
 * @param {Child} children
 * @param {MessageContext} context
 * @param {string} [classes]
 */
export function link(url, children, context, classes = "") {
  const target = jumpTarget(url);
  if (target) {
    /** @param {Event} event */
    const follow = (event) => {
      event.preventDefault();
      context.go(target);
    };
    return h(
      "a",
      {
        href: `#/${target.guildId}/${target.channelId}${target.messageId ? `/${target.messageId}` : ""}`,
        class: `jump ${classes}`,
        onclick: follow,
      },
      children,
    );
  }
  const href = safeUrl(url);
  if (!href) return h("span", { class: classes }, children);
  return h(
    "a",
    { href, class: classes, target: "_blank", rel: "noopener noreferrer", title: href },
    children,
  );
}

/**
 * @param {MarkdownNode[]} blocks
 * @param {MessageContext} context
 */
function drawBlocks(blocks, context) {
  /** @type {Node[]} */
  const nodes = [];
  blocks.forEach((block, index) => {
    nodes.push(drawBlock(block, context));
    const next = blocks[index + 1];
    if (block.type === "line" && next?.type === "line") nodes.push(h("br"));
  });
  return nodes;
}

/**
 * @param {MarkdownNode} block
 * @param {MessageContext} context
 */
function drawBlock(block, context) {
  const children = () => drawInline(block.children, context);
  switch (block.type) {
    case "line":
      return asFragment(children());
    case "heading":
      return h(`h${block.level + 2}.prose-h${block.level}`, {}, children());
    case "subtext":
      return h("small.subtext", {}, children());
    case "quote":
      return h("blockquote", {}, drawBlocks(block.children, context));
    case "codeblock":
      return h("pre", { tabindex: "0" }, h("code", { dataset: { language: block.language } }, block.text));
    case "list":
      return drawList(block, context);
    default:
      return asFragment(drawInline([block], context));
  }
}

/**
 * @param {MarkdownNode} list
 * @param {MessageContext} context
 */
function drawList(list, context) {
  return h(
    list.ordered ? "ol" : "ul",
    list.ordered ? { start: list.start } : {},
    list.items.map((/** @type {MarkdownNode[]} */ item) => h("li", {}, drawInline(item, context))),
  );
}

/** @type {Record<string, string>} */
const TAGS = { strong: "strong", em: "em", underline: "u", strike: "s" };

/**
 * @param {MarkdownNode[]} nodes
 * @param {MessageContext} context
 * @returns {(Node | string)[]}
 */
function drawInline(nodes, context) {
  return nodes.map((node) => {
    if (TAGS[node.type]) return h(TAGS[node.type], {}, drawInline(node.children, context));
    return INLINE[node.type]?.(node, context) ?? "";
  });
}

/** @type {Record<string, (node: MarkdownNode, context: MessageContext) => Node>} */
const INLINE = {
  text: (node) => document.createTextNode(node.text),
  code: (node) => h("code", {}, node.text),
  list: drawList,
  spoiler: (node, context) => spoiler(drawInline(node.children, context)),
  link: (node, context) => link(node.url, drawInline(node.children, context), context),
  url: (node, context) => link(node.url, urlLabel(node.url, context), context),
  user: drawUser,
  channel: (node, context) => drawChannel(node.id, context),
  role: drawRole,
  everyone: (node) => h("span.mention", {}, `@${node.name}`),
  emoji: (node) => h("span.custom-emoji", {}, `:${node.name}:`),
  time: drawTime,
  command: (node, context) =>
    h("button.mention", { type: "button", onclick: () => context.run?.(`/${node.name} `) }, `/${node.name}`),
};

/** @param {Child} children */
function spoiler(children) {
  const cover = h(
    "span.spoiler-text",
    { role: "button", tabindex: "0", "aria-label": "Spoiler", "aria-expanded": "false" },
    h("span.spoiler-inner", { "aria-hidden": "true" }, children),
  );
  /** @param {Event} event */
  const reveal = (event) => {
    if (cover.classList.contains("revealed")) return;
    if (event instanceof KeyboardEvent && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault(); // the click that opens the spoiler doesn't follow a link below it
    cover.classList.add("revealed");
    cover.removeAttribute("role");
    cover.setAttribute("aria-expanded", "true");
    cover.firstElementChild?.removeAttribute("aria-hidden");
  };
  cover.addEventListener("click", reveal, true);
  cover.addEventListener("keydown", reveal);
  return cover;
}

/**
 * @param {string} url
 * @param {MessageContext} context
 */
function urlLabel(url, context) {
  const target = jumpTarget(url);
  if (!target) return url;
  const name = withChannel(target.channelId, context, (channel) =>
    document.createTextNode(channel?.name ?? "a place you cannot see"),
  );
  return [icon("hash"), name, target.messageId && " › message"];
}

/**
 * @param {MarkdownNode} node
 * @param {MessageContext} context
 */
function drawUser({ id }, { store, guild }) {
  const member = guild && store.member(guild.id, id);
  if (!member) return h("span.mention", {}, "@unknown");
  const mine = id === store.me.id;
  return h(
    "span.mention",
    { class: mine ? "mention-me" : "", title: member.user.username },
    `@${displayName(member.user, member)}`,
  );
}

/**
 * @param {string} id
 * @param {MessageContext} context
 */
function drawChannel(id, context) {
  return withChannel(id, context, (channel) => {
    if (!channel) return h("span.mention", { title: "You cannot see this channel, or it is gone" }, "#no-access");
    const go = () => context.go({ guildId: channel.guild_id, channelId: id, messageId: null });
    return h("button.mention", { type: "button", onclick: go }, `#${channel.name}`);
  });
}

/**
 * @param {MarkdownNode} node
 * @param {MessageContext} context
 */
function drawRole({ id }, { guild }) {
  const role = guild?.roles.get(id);
  const style = role?.color ? { "--mention": cssColour(role.color) } : {};
  return h("span.mention", { style }, `@${role?.name ?? "deleted role"}`);
}

/**
 * @param {MarkdownNode} node
 * @param {MessageContext} context
 */
function drawTime({ seconds, style }, { store }) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return document.createTextNode("(a time)");
  const element = h(
    "time.stamp",
    { datetime: date.toISOString(), title: formatFull(date) },
    formatTimestamp(date, style, store?.me.locale),
  );
  if (style === "R") keepRelative(element, date, store?.me.locale);
  return element;
}

/**
 * Update "3 minutes ago" while it is on the screen.
 * @param {HTMLElement} element
 * @param {Date} date
 * @param {string} [locale]
 */
function keepRelative(element, date, locale) {
  setTimeout(function tick() {
    if (!element.isConnected) return;
    element.textContent = formatTimestamp(date, "R", locale);
    setTimeout(tick, RELATIVE_TICK_MS);
  }, RELATIVE_TICK_MS);
}

/** @param {(Node | string)[]} nodes */
function asFragment(nodes) {
  const fragment = document.createDocumentFragment();
  fragment.append(...nodes);
  return fragment;
}
