/** The actions of a message: its toolbar, and the menu of right-click and "…". */

import { copy } from "./clipboard.js";
import { menuData, messageCommands, nameOf } from "./commands.js";
import { confirmDanger } from "./dialog.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { PERMISSION } from "./permissions.js";
import { isEphemeral } from "./timeline.js";
import { toast } from "./toast.js";

const EMOJI = ["👍", "❤️", "😂", "😮", "🎉", "👀"];
const WRITTEN = new Set([0, 19, 20, 23]);

/**
 * The toolbar over the message under the pointer.
 * @param {Message} message
 * @param {MessageContext} context
 */
export function toolbar(message, context) {
  const { store, channel } = context;
  /**
   * @param {IconName} name
   * @param {string} label
   * @param {(event: MouseEvent) => void} run
   */
  const button = (name, label, run) =>
    h("button", { type: "button", "aria-label": label, title: label, onclick: run }, icon(name));
  const mine = message.author.id === store.me.id;
  return h(
    "div.toolbar",
    { role: "toolbar", "aria-label": "Message" },
    !isEphemeral(message) &&
      store.can(channel, PERMISSION.addReactions) &&
      button("smile", "React", (event) => openReactions(event, message, context)),
    mayReply(message, context) && button("reply", "Reply", () => context.reply(message)),
    mine && WRITTEN.has(message.type) && button("pencil", "Edit", () => context.edit(message)),
    button("more", "More", (event) => openMessageMenu(event, message, context)),
  );
}

/**
 * The complete menu. context: the message list's, with reply, edit, commandIndex, interactions, api.
 * @param {MouseEvent} event
 * @param {Message} message
 * @param {MessageContext} context
 */
export function openMessageMenu(event, message, context) {
  const { store, channel } = context;
  const mine = message.author.id === store.me.id;
  const text = window.getSelection()?.toString() || message.content;
  const picture = pictureLink(event);
  /** @type {(MenuItem | false | "" | null)[]} */
  const offered = [
    mayReply(message, context) && { label: "Reply", icon: "reply", run: () => context.reply(message) },
    mine &&
      WRITTEN.has(message.type) && {
        label: "Edit message",
        icon: "pencil",
        run: () => context.edit(message),
      },
    !isEphemeral(message) && { label: "Apps", items: appItems(message, context) },
    text && { label: "Copy text", icon: "copy", run: () => copy(text, "The text is copied.") },
    picture && { label: "Open picture", icon: "open", run: () => window.open(picture, "_blank", "noopener") },
    !isEphemeral(message) && {
      label: "Copy link",
      icon: "link",
      run: () => copy(linkTo(message, context), "The link is copied."),
    },
    isEphemeral(message) && { label: "Dismiss message", icon: "close", run: () => context.dismiss(message) },
    !isEphemeral(message) &&
      (mine || store.can(channel, PERMISSION.manageMessages)) && {
        label: "Delete message",
        icon: "trash",
        danger: true,
        run: () => (event.shiftKey ? remove(message, context) : askToDelete(message, context)),
      },
  ];
  openMenu(
    event,
    offered.filter((item) => item !== false && item !== "" && item !== null),
    "Message",
  );
}

/**
 * @param {Message} message
 * @param {MessageContext} context
 */
function mayReply(message, { store, channel }) {
  return WRITTEN.has(message.type) && store.canSend(channel) && !isEphemeral(message) && !message.failed;
}

/**
 * @param {Message} message
 * @param {MessageContext} context
 * @returns {MenuItem[]}
 */
function appItems(message, { commandIndex, guild, interactions, channel }) {
  const commands = messageCommands(commandIndex.of(guild.id));
  if (!commands.length) return [{ note: "Magpie isn’t connected yet." }];
  return commands.map((command) => ({
    label: nameOf(command),
    detail: command.application.name,
    icon: "apps",
    run: () =>
      interactions.run({
        guildId: guild.id,
        channelId: channel.id,
        applicationId: command.application.id,
        data: menuData(command, message.id),
        label: nameOf(command),
      }),
  }));
}

/**
 * @param {Message} message
 * @param {MessageContext} context
 */
function linkTo(message, { guild }) {
  return `https://discord.com/channels/${guild.id}/${message.channel_id}/${message.id}`;
}

/** @param {MouseEvent} event */
const pictureLink = (event) =>
  /** @type {Element} */ (event.target).closest?.(".tile")?.querySelector("img")?.src ?? null;

/**
 * @param {Message} message
 * @param {MessageContext} context
 */
function askToDelete(message, context) {
  confirmDanger({
    title: "Delete this message?",
    body: h("p", {}, "It goes for everybody, and Magpie forgets its pictures."),
    label: "Delete",
    run: () => context.api.delete(`/channels/${message.channel_id}/messages/${message.id}`),
  });
}

/**
 * @param {Message} message
 * @param {MessageContext} context
 */
async function remove(message, { api }) {
  try {
    await api.delete(`/channels/${message.channel_id}/messages/${message.id}`);
  } catch (error) {
    toast(error.message, "problem");
  }
}

/**
 * @param {MouseEvent} event
 * @param {Message} message
 * @param {MessageContext} context
 */
function openReactions(event, message, context) {
  openMenu(
    event,
    EMOJI.map((name) => ({
      label: name,
      run: () => context.toggleReaction(message, { emoji: { id: null, name }, me: false }),
    })),
    "React with",
  );
}
