/** What one can do with a message: its toolbar, and the menu behind right-click and "…". */

import { copy } from "./clipboard.js";
import { menuData, messageCommands } from "./commands.js";
import { confirmDanger } from "./dialog.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { PERMISSION } from "./permissions.js";
import { isEphemeral } from "./timeline.js";
import { toast } from "./toast.js";

const EMOJI = ["👍", "❤️", "😂", "😮", "🎉", "👀"];
const WRITTEN = new Set([0, 19, 20, 23]);

/** The buttons that float over the message under the pointer. */
export function toolbar(message, context) {
  const { store, channel } = context;
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

/** The whole menu. context: the message list's, with reply, edit, commandIndex, interactions, api. */
export function openMessageMenu(event, message, context) {
  const { store, channel } = context;
  const mine = message.author.id === store.me.id;
  const text = window.getSelection()?.toString() || message.content;
  const picture = pictureLink(event);
  const items = [
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
  ].filter(Boolean);
  openMenu(event, items, "Message");
}

function mayReply(message, { store, channel }) {
  return WRITTEN.has(message.type) && store.canSend(channel) && !isEphemeral(message) && !message.failed;
}

function appItems(message, { commandIndex, guild, interactions, channel }) {
  const commands = messageCommands(commandIndex.of(guild.id));
  if (!commands.length) return [{ note: "Magpie isn’t connected yet." }];
  return commands.map((command) => ({
    label: command.name,
    detail: command.application.name,
    icon: "apps",
    run: () =>
      interactions.run({
        guildId: guild.id,
        channelId: channel.id,
        applicationId: command.application.id,
        data: menuData(command, message.id),
        label: `${command.name}`,
      }),
  }));
}

function linkTo(message, { guild }) {
  return `https://discord.com/channels/${guild.id}/${message.channel_id}/${message.id}`;
}

const pictureLink = (event) => event.target.closest?.(".tile")?.querySelector("img")?.src ?? null;

function askToDelete(message, context) {
  confirmDanger({
    title: "Delete this message?",
    body: h("p", {}, "It goes for everybody, and Magpie forgets its pictures."),
    label: "Delete",
    run: () => context.api.delete(`/channels/${message.channel_id}/messages/${message.id}`),
  });
}

async function remove(message, { api }) {
  try {
    await api.delete(`/channels/${message.channel_id}/messages/${message.id}`);
  } catch (error) {
    toast(error.message, "problem");
  }
}

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
