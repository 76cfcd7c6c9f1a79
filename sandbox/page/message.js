/** One message as an element: header, text, pictures, embeds, components, reactions, footnotes. */

import { attachments } from "./attachments.js";
import { components } from "./components.js";
import { h } from "./dom.js";
import { embeds } from "./embeds.js";
import { icon } from "./icons.js";
import { plain } from "./markdown.js";
import { gallery, local, pictureOf } from "./media.js";
import { avatar, displayName, roleColour } from "./people.js";
import { poll } from "./polls.js";
import { isLoneEmoji, prose } from "./prose.js";
import { timeOf } from "./snowflake.js";
import { formatClock, formatFull, formatMoment } from "./time.js";
import { FLAG, isEphemeral } from "./timeline.js";
import { withChannel } from "./unlisted.js";

export const MESSAGE = {
  plain: 0,
  pinned: 6,
  joined: 7,
  threadCreated: 18,
  reply: 19,
  command: 20,
  threadStarter: 21,
  menu: 23,
  pollResult: 46,
};
const SPOKEN = new Set([MESSAGE.plain, MESSAGE.reply, MESSAGE.command, MESSAGE.menu, MESSAGE.threadStarter]);
const PRESSED = 3; // an interaction with a button or a select menu
const LOTTIE = 3; // a sticker that is JSON, not a picture
/** @type {Record<number, string>} */
const STICKER_ENDINGS = { 1: "png", 2: "png", 4: "gif" };

/**
 * context: {store, guild, channel, go, run, press, toggleReaction, dismiss, editing, saveEdit, cancelEdit}
 * grouped: the message above is by the same author, shortly before.
 * @param {Message} message
 * @param {boolean} grouped
 * @param {MessageContext} context
 */
export function drawMessage(message, grouped, context) {
  const { store, guild } = context;
  if (!SPOKEN.has(message.type ?? 0)) return drawSystemMessage(message, context);
  const above = headerOf(message, context);
  const member = guild.members.get(message.author.id) ?? message.member;
  const classes = [
    grouped && !above ? "grouped" : "first",
    isEphemeral(message) && "ephemeral",
    message.author.bot && (above || isEphemeral(message)) && "answer",
    mentionsMe(message, store, guild) && "mentions-me",
    message.sending && "sending",
    message.failed && "failed",
  ]
    .filter(Boolean)
    .join(" ");
  return h(
    "li.message",
    {
      id: `message-${message.id}`,
      class: classes,
      tabindex: "-1",
      dataset: { id: message.id },
      "aria-label": `${displayName(message.author, member)}, ${formatMoment(timeOf(message.id))}`,
    },
    above,
    grouped && !above
      ? h(
          "time.gutter",
          { title: formatFull(timeOf(message.id)), "aria-hidden": "true" },
          formatClock(timeOf(message.id)),
        )
      : avatar(message.author, 40),
    h(
      "div.message-body",
      {},
      (!grouped || above) && byline(message, member, guild),
      context.editing === message.id ? editor(message, context) : bodyOf(message, context),
      reactions(message, context),
      threadCard(message, context),
      footnote(message, context),
    ),
  );
}

// ---- above the text

/**
 * @param {Message} message
 * @param {Member | null | undefined} member
 * @param {Guild} guild
 */
function byline(message, member, guild) {
  const { author } = message;
  return h(
    "p.byline",
    {},
    h("span.author", { style: { "--role": roleColour(guild, member) } }, displayName(author, member)),
    author.bot && h("span.app-tag", {}, "App"),
    h(
      "time",
      { datetime: timeOf(message.id).toISOString(), title: formatFull(timeOf(message.id)) },
      formatMoment(timeOf(message.id)),
    ),
  );
}

/**
 * @param {Message} message
 * @param {MessageContext} context
 */
function headerOf(message, context) {
  const asked = message.interaction_metadata ?? message.interaction;
  if (asked && message.type !== MESSAGE.reply && asked.type !== 3)
    return commandHeader(message, asked, context);
  const { type, referenced_message: original } = message;
  if (original || (type === MESSAGE.reply && original === null)) return replyHeader(message, context);
  // an answer to a button on a message that only somebody else can see
  return type === MESSAGE.reply && asked ? commandHeader(message, asked, context) : null;
}

/**
 * @param {Message} message
 * @param {Asked} asked
 * @param {MessageContext} context
 */
function commandHeader(message, asked, { guild }) {
  const user = asked.user ?? message.interaction?.user;
  if (!user) return null;
  const name = message.interaction?.name ?? asked.name;
  const slash = message.type === MESSAGE.command ? "/" : "";
  const used = name ? `${slash}${name}` : asked.type === PRESSED ? "a button" : "a command";
  const member = guild.members.get(user.id);
  return h(
    "div.above",
    {},
    avatar(user, 16),
    h("b", { style: { "--role": roleColour(guild, member) } }, displayName(user, member)),
    " used ",
    h("span.command-used", {}, used),
  );
}

/**
 * @param {Message} message
 * @param {MessageContext} context
 */
function replyHeader(message, context) {
  const original = message.referenced_message;
  if (!original)
    return h("div.above.lost", {}, icon("reply"), h("em", {}, "The original message was deleted"));
  const { guild } = context;
  const member = guild.members.get(original.author.id);
  const go = () =>
    context.go({
      guildId: guild.id,
      channelId: original.channel_id ?? message.channel_id,
      messageId: original.id,
    });
  return h(
    "button.above",
    {
      type: "button",
      onclick: go,
      "aria-label": `Reply to ${displayName(original.author, member)}: go to that message`,
    },
    avatar(original.author, 16),
    h("b", { style: { "--role": roleColour(guild, member) } }, displayName(original.author, member)),
    h("span.above-text", {}, summary(original)),
    hasPicture(original) && icon("picture"),
  );
}

/**
 * A short text for a message.
 * @param {Message} message
 */
export function summary(message) {
  const text = plain(message.content ?? "") || componentText(message.components ?? []);
  if (text) return text;
  if (message.sticker_items?.length) return "A sticker";
  if (message.message_snapshots?.length) return "A forwarded message";
  if (message.poll) return message.poll.question.text;
  return hasPicture(message) ? "A picture" : "A message";
}

/**
 * @param {Component[]} list
 * @returns {string}
 */
function componentText(list) {
  for (const component of list) {
    if (component.content) return plain(component.content);
    const inner = componentText([...(component.components ?? [])]);
    if (inner) return inner;
  }
  return "";
}

/** @param {Message} message */
const hasPicture = (message) =>
  Boolean(message.attachments?.length || message.embeds?.some((embed) => embed.image || embed.thumbnail));

/**
 * @param {Message} message
 * @param {Store} store
 * @param {Guild} guild
 */
function mentionsMe(message, store, guild) {
  if (isEphemeral(message) || message.author.id === store.me.id) return false;
  const mine = new Set(store.self(guild).roles);
  return (
    message.mention_everyone ||
    message.mentions?.some((user) => user.id === store.me.id) ||
    message.mention_roles?.some((role) => mine.has(role))
  );
}

// ---- the text, and what belongs to it

/**
 * @param {Message} message
 * @param {MessageContext} context
 */
function bodyOf(message, context) {
  if ((message.flags ?? 0) & FLAG.loading) return thinking(message, context);
  const snapshots = message.message_snapshots ?? [];
  return [
    contentOf(message, context),
    snapshots.map((snapshot) => forwarded(message, snapshot.message, context)),
    attachments(message),
    (message.uploading ?? 0) > 0 &&
      h(
        "p.uploading",
        {},
        dots(),
        `Posting ${message.uploading} ${message.uploading === 1 ? "file" : "files"}…`,
      ),
    embeds(message, context),
    stickers(message),
    poll(message, context),
    components(message, context),
  ];
}

/**
 * @param {Message} message
 * @param {MessageContext} context
 */
function contentOf(message, context) {
  const text = shownText(message);
  const edited =
    message.edited_timestamp &&
    h("span.edited", { title: formatFull(new Date(message.edited_timestamp)) }, " (edited)");
  if (!text) return message.components?.length ? null : edited;
  return h("div.content", { class: isLoneEmoji(text) ? "large-emoji" : "" }, prose(text, context), edited);
}

/**
 * The text to show: none when it is only the address of the picture that the embed shows.
 * @param {Message} message
 */
function shownText(message) {
  const text = message.content ?? "";
  const [only] = message.embeds ?? [];
  const bare =
    message.embeds?.length === 1 && ["image", "gifv"].includes(only.type) && text.trim() === only.url;
  return bare ? "" : text;
}

/**
 * @param {Message} message
 * @param {MessageContext} context
 */
function thinking(message, { guild }) {
  const name = displayName(message.author, guild.members.get(message.author.id));
  return h("p.thinking", { role: "status" }, dots(), `${name} is thinking…`);
}

export const dots = () => h("span.dots", { "aria-hidden": "true" }, h("i"), h("i"), h("i"));

/**
 * @param {Message} message
 * @param {Message & { timestamp: string }} snapshot
 * @param {MessageContext} context
 */
function forwarded(message, snapshot, context) {
  const inner = { ...snapshot, id: message.id };
  const reference = message.message_reference;
  const go = () =>
    reference &&
    context.go({
      guildId: reference.guild_id ?? context.guild.id,
      channelId: reference.channel_id,
      messageId: reference.message_id,
    });
  return h(
    "div.forwarded",
    {},
    h("p.forwarded-title", {}, icon("forward"), "Forwarded"),
    inner.content && h("div.content", {}, prose(inner.content, context)),
    attachments(inner),
    embeds(inner, context),
    stickers(inner),
    components(inner, context),
    reference &&
      withChannel(reference.channel_id, context, (from) =>
        h(
          "button.forwarded-from",
          { type: "button", onclick: go, hidden: !from },
          `#${from?.name} · ${formatMoment(new Date(snapshot.timestamp))}`,
          icon("right"),
        ),
      ),
  );
}

/** @param {Message} message */
function stickers(message) {
  return (message.sticker_items ?? []).map((sticker) => {
    if (sticker.format_type === LOTTIE) return h("p.sticker-name", {}, `Sticker: ${sticker.name}`);
    const url =
      local(sticker.url) ?? `/cdn/stickers/${sticker.id}.${STICKER_ENDINGS[sticker.format_type] ?? "png"}`;
    return h(
      "div.sticker",
      {},
      gallery([
        pictureOf(
          { url, width: 160, height: 160 },
          { key: `${message.id}:s${sticker.id}`, name: sticker.name, alt: `Sticker: ${sticker.name}` },
        ),
      ]),
    );
  });
}

// ---- below

/**
 * @param {Message} message
 * @param {MessageContext} context
 */
function reactions(message, context) {
  if (!message.reactions?.length) return null;
  return h(
    "div.reactions",
    {},
    message.reactions.map((reaction) =>
      h(
        "button.reaction",
        {
          type: "button",
          "aria-pressed": String(reaction.me),
          "aria-label": `${reaction.emoji.name}, ${reaction.count}`,
          onclick: () => context.toggleReaction(message, reaction),
        },
        h(
          "span",
          { "aria-hidden": "true" },
          reaction.emoji.id ? `:${reaction.emoji.name}:` : reaction.emoji.name,
        ),
        h("b", { "aria-hidden": "true" }, reaction.count),
      ),
    ),
  );
}

/**
 * @param {Message} message
 * @param {MessageContext} context
 */
function threadCard(message, context) {
  const thread = context.guild.threads.get(message.id) ?? message.thread;
  if (!thread || thread.id === context.channel.id) return null;
  const count = thread.message_count ?? 0;
  const go = () => context.go({ guildId: context.guild.id, channelId: thread.id, messageId: null });
  return h(
    "button.thread-card",
    { type: "button", onclick: go },
    icon("thread"),
    h("b", {}, thread.name),
    h("span", {}, count ? `${count} ${count === 1 ? "message" : "messages"}` : "Open the thread"),
    icon("right"),
  );
}

/**
 * @param {Message} message
 * @param {MessageContext} context
 */
function footnote(message, context) {
  if (message.failed) {
    return h(
      "p.footnote.problem",
      { role: "alert" },
      icon("warning"),
      `Not posted: ${message.failed} `,
      h("button.plain", { type: "button", onclick: () => message.again?.() }, "Try again"),
      " · ",
      h("button.plain", { type: "button", onclick: () => context.dismiss(message) }, "Discard"),
    );
  }
  if (!isEphemeral(message)) return null;
  return h(
    "p.footnote",
    {},
    icon("eye"),
    "Only you can see this · ",
    h("button.plain", { type: "button", onclick: () => context.dismiss(message) }, "Dismiss message"),
  );
}

/**
 * The field for editing one's own message: Enter saves, Esc cancels.
 * @param {Message} message
 * @param {MessageContext} context
 */
function editor(message, context) {
  const field = h("textarea", { rows: 1, "aria-label": "Edit message", value: message.content });
  const grow = () => {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  };
  const save = () => context.saveEdit(message, field.value.trim());
  field.addEventListener("input", grow);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") context.cancelEdit();
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) save();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  requestAnimationFrame(() => {
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
    grow();
  });
  return h(
    "div.editor",
    {},
    field,
    h(
      "p",
      {},
      "Esc to ",
      h("button.plain", { type: "button", onclick: context.cancelEdit }, "cancel"),
      " · Enter to ",
      h("button.plain", { type: "button", onclick: save }, "save"),
    ),
  );
}

// ---- system messages

/**
 * How a poll ended, from the message that tells it.
 * @param {Message} message
 */
function winnerOf(message) {
  const fields = message.embeds?.[0]?.fields ?? [];
  return fields.find((field) => field.name === "victor_answer_text")?.value ?? "no answer has the most votes";
}

/**
 * @param {Message} message
 * @param {MessageContext} context
 */
function drawSystemMessage(message, context) {
  const { guild } = context;
  const name = h("b", {}, displayName(message.author, guild.members.get(message.author.id)));
  const sentences = {
    [MESSAGE.joined]: [name, " has joined. Say hello!"],
    [MESSAGE.pinned]: [name, " pinned a message."],
    [MESSAGE.pollResult]: [name, "’s poll has ended: ", h("b", {}, winnerOf(message))],
    [MESSAGE.threadCreated]: [name, " started a thread: ", h("b", {}, message.content)],
  };
  return h(
    "li.message.system",
    { id: `message-${message.id}`, tabindex: "-1", dataset: { id: message.id } },
    icon(
      message.type === MESSAGE.threadCreated ? "thread" : message.type === MESSAGE.pinned ? "pin" : "right",
    ),
    h(
      "p",
      {},
      sentences[message.type] ?? [name, " did something that this page does not know how to tell."],
      h("time", { title: formatFull(timeOf(message.id)) }, formatMoment(timeOf(message.id))),
    ),
  );
}
