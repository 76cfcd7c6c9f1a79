/** The menu of a channel or a category, and the dialog that creates one. */

import { copy } from "./clipboard.js";
import { attempt, confirmDanger, openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { openMenu } from "./menu.js";
import { isThread, PERMISSION } from "./permissions.js";
import { CHANNEL } from "./store.js";

/**
 * Open the menu of a channel or a category: copy its link and, with Manage Channels, create and delete.
 * @param {MouseEvent} event
 * @param {Channel} target
 * @param {Context} context
 */
export function openChannelMenu(event, target, context) {
  const { store, api } = context;
  const guild = /** @type {Guild} */ (store.guildOf(target.id));
  const category = target.type === 4;
  const organises = store.canInGuild(guild, PERMISSION.manageChannels);
  const parent = category ? target.id : target.parent_id;
  /** @type {(MenuItem | false)[]} */
  const offered = [
    !category && { label: "Mark as read", icon: "check", run: () => store.markRead(target.id) },
    !category && {
      label: "Copy link",
      icon: "link",
      run: () => copy(`https://discord.com/channels/${guild.id}/${target.id}`, "The link is copied."),
    },
    { label: "Copy ID", icon: "copy", run: () => copy(target.id, "The ID is copied.") },
    organises &&
      !isThread(target) && {
        label: "Create channel",
        icon: "plus",
        run: () => createChannel(api, guild, parent),
      },
    organises && {
      label: `Delete ${category ? "category" : isThread(target) ? "thread" : "channel"}`,
      icon: "trash",
      danger: true,
      run: () =>
        confirmDanger({
          title: `Delete ${target.name}?`,
          body: h("p", {}, "Its messages go with it. This cannot be undone."),
          label: "Delete",
          run: () => api.delete(`/channels/${target.id}`),
        }),
    },
  ];
  openMenu(
    event,
    offered.filter((item) => item !== false),
    target.name,
  );
}

/**
 * A dialog for a new channel in the category `parentId`, or a new category.
 * @param {Api} api
 * @param {Guild} guild
 * @param {string | null} parentId
 */
function createChannel(api, guild, parentId) {
  const name = h("input", { maxlength: 100, placeholder: "new-channel", "aria-label": "Name" });
  const type = h(
    "select",
    { "aria-label": "Kind" },
    h("option", { value: CHANNEL.text }, "Text channel"),
    h("option", { value: CHANNEL.forum }, "Forum"),
    h("option", { value: CHANNEL.voice }, "Voice channel"),
    h("option", { value: CHANNEL.category }, "Category"),
  );
  /**
   * @param {string} label
   * @param {HTMLElement} input
   */
  const field = (label, input) => h("label.field", {}, h("span", {}, label), input);
  const dialog = openDialog({
    title: "Create channel",
    body: [field("Kind", type), field("Name", name)],
    actions: [
      { label: "Cancel", run: (close) => close() },
      {
        label: "Create",
        style: "primary",
        run: () =>
          attempt(dialog, async () => {
            if (!name.value.trim()) throw new Error("A channel needs a name.");
            const kind = Number(type.value);
            const parent = kind === CHANNEL.category ? null : parentId;
            await api.post(`/guilds/${guild.id}/channels`, {
              name: name.value.trim(),
              type: kind,
              parent_id: parent,
            });
          }),
      },
    ],
  });
  name.focus();
}
