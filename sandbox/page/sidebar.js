/** On the left of the chat: the servers, the channels that this person can see, and the person. */

import { h, replace } from "./dom.js";
import { icon, magpie } from "./icons.js";
import { openLanguages } from "./language.js";
import { avatar, displayName, guildFace, roleColour, rolesOf } from "./people.js";
import { isPrivate, isThread } from "./permissions.js";
import { CHANNEL } from "./store.js";

/** @type {Record<number, IconName>} */
const ICONS = {
  [CHANNEL.text]: "hash",
  [CHANNEL.voice]: "speaker",
  [CHANNEL.news]: "news",
  [CHANNEL.stage]: "speaker",
  [CHANNEL.forum]: "forum",
  [CHANNEL.media]: "picture",
};
const folded = new Set(); // categories that are folded

/**
 * The icon of a channel, with a small lock or an age mark on it.
 * @param {Channel} channel
 * @param {Guild} guild
 */
export function channelIcon(channel, guild) {
  if (isThread(channel)) return h("span.channel-icon", {}, icon(channel.type === 12 ? "lock" : "thread"));
  const locked = isPrivate(guild, channel);
  const mark = channel.nsfw ? "adult" : locked ? "lock" : null;
  return h(
    "span.channel-icon",
    {},
    icon(ICONS[channel.type] ?? "hash"),
    mark && h("span.channel-mark", {}, icon(mark)),
  );
}

export class Sidebar {
  /**
   * context: {store, go, openChannelMenu, switchPerson, setTheme, signal}
   * @param {Context} context
   */
  constructor(context) {
    /** @type {Guild} */
    this.guild = /** @type {any} */ (null); // while the person is in no guild
    /** @type {Channel | null} */
    this.channel = null;
    this.context = context;
    this.rail = h("nav.rail", { "aria-label": "Servers" });
    this.channels = h("nav.channels", { "aria-label": "Channels" });
    this.title = h("header.guild-title");
    this.person = h("footer.person");
    this.element = h(
      "div.sidebar",
      {},
      this.rail,
      h("div.sidebar-main", {}, this.title, this.channels, this.person),
    );
    for (const topic of ["guilds", "channels", "unread", "members"])
      context.store.on(topic, () => this.draw(), context.signal);
  }

  /**
   * Show `guild` with `channel` marked; both may be null.
   * @param {Guild | null} guild
   * @param {Channel | null} channel
   */
  show(guild, channel) {
    this.guild = /** @type {Guild} */ (guild);
    this.channel = channel;
    this.draw();
  }

  draw() {
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    const focusId = focused?.dataset?.channelId;
    this.#drawRail();
    this.#drawTitle();
    this.#drawChannels();
    this.#drawPerson();
    if (!focusId) return;
    /** @type {HTMLElement | null} */
    const again = this.channels.querySelector(`[data-channel-id="${focusId}"]`);
    again?.focus();
  }

  #drawRail() {
    const { store, goGuild } = this.context;
    const guilds = [...store.guilds.values()].map((guild) => {
      const current = guild.id === this.guild?.id;
      const waiting = !current && [...store.unread.keys()].some((id) => guild.channels.has(id));
      return h(
        "button.guild",
        {
          type: "button",
          title: guild.name,
          "aria-label": guild.name,
          "aria-current": current ? "true" : null,
          class: waiting ? "unread" : "",
          onclick: () => goGuild(guild),
        },
        guildFace(guild),
      );
    });
    replace(this.rail, h("span.rail-mark", {}, magpie(40)), h("hr"), ...guilds);
  }

  #drawTitle() {
    replace(
      this.title,
      h("h1", {}, this.guild?.name ?? "Magpie’s sandbox"),
      this.guild ? h("small", {}, `${this.guild.members.size} members`) : "",
    );
  }

  #drawChannels() {
    if (!this.guild) return replace(this.channels);
    const scroll = this.channels.scrollTop;
    replace(this.channels, ...this.context.store.tree(this.guild).map((group) => this.#group(group)));
    this.channels.scrollTop = scroll;
  }

  /** @param {{ category: Channel | null, channels: Channel[] }} group */
  #group({ category, channels }) {
    const closed = category && folded.has(category.id);
    const shown = closed
      ? channels.filter((channel) => channel.id === this.#currentTop() || this.#isUnread(channel))
      : channels;
    const list = h(
      "ul",
      {},
      shown.map((channel) => this.#channelWithThreads(channel)),
    );
    if (!category) return list;
    const toggle = () => {
      if (!folded.delete(category.id)) folded.add(category.id);
      this.draw();
    };
    return h(
      "section.category",
      {},
      h(
        "button.category-title",
        {
          type: "button",
          "aria-expanded": String(!closed),
          onclick: toggle,
          dataset: { channelId: category.id },
          oncontextmenu: (event) => this.context.openChannelMenu(event, category),
        },
        icon("down"),
        category.name,
      ),
      list,
    );
  }

  /** @param {Channel} channel */
  #channelWithThreads(channel) {
    const forum = channel.type === CHANNEL.forum || channel.type === CHANNEL.media;
    const threads = this.context.store
      .threads(channel)
      .filter((thread) => !forum || thread.id === this.channel?.id);
    return h(
      "li",
      {},
      this.#link(channel),
      threads.length > 0 &&
        h(
          "ul.threads",
          {},
          threads.map((thread) => h("li", {}, this.#link(thread))),
        ),
    );
  }

  /** @param {Channel} channel */
  #link(channel) {
    const { store, go, openChannelMenu } = this.context;
    const current = channel.id === this.channel?.id;
    const mentions = store.unread.get(channel.id) ?? 0;
    return h(
      "a.channel",
      {
        href: `#/${this.guild.id}/${channel.id}`,
        dataset: { channelId: channel.id, name: channel.name },
        class: this.#isUnread(channel) ? "unread" : "",
        "aria-current": current ? "page" : null,
        "aria-label": this.#label(channel),
        title: channel.topic ?? null,
        onclick: (event) => {
          event.preventDefault();
          go({ guildId: this.guild.id, channelId: channel.id, messageId: null });
        },
        oncontextmenu: (event) => openChannelMenu(event, channel),
      },
      channelIcon(channel, this.guild),
      h("span.channel-name", {}, channel.name),
      mentions > 0 && h("b.badge", {}, mentions),
    );
  }

  /** @param {Channel} channel */
  #label(channel) {
    const marks = [
      isPrivate(this.guild, channel) && "private",
      channel.nsfw && "age-restricted",
      this.#isUnread(channel) && "unread",
    ];
    return [channel.name, ...marks.filter(Boolean)].join(", ");
  }

  /** @param {Channel} channel */
  #isUnread(channel) {
    return this.context.store.unread.has(channel.id);
  }

  #currentTop() {
    return this.channel?.parent_id &&
      this.guild.channels.get(this.channel.parent_id)?.type !== CHANNEL.category
      ? this.channel.parent_id
      : this.channel?.id;
  }

  #drawPerson() {
    const { store, switchPerson, cycleTheme } = this.context;
    if (!store.me) return;
    const member = this.guild ? store.self(this.guild) : null;
    const roles = this.guild ? rolesOf(this.guild, member).map((role) => role.name) : [];
    const owner = this.guild?.owner_id === store.me.id;
    const name = displayName(store.me, member);
    replace(
      this.person,
      h(
        "button.person-card",
        {
          type: "button",
          onclick: switchPerson,
          "aria-label": `You are ${name}. Be somebody else.`,
          title: "Be somebody else",
        },
        avatar(store.me, 34),
        h(
          "span",
          {},
          h("b", { style: { "--role": this.guild ? roleColour(this.guild, member) : null } }, name),
          h("small", {}, [owner && "Owner", ...roles].filter(Boolean).join(", ") || "Member"),
        ),
        icon("swap"),
      ),
      h(
        "button.round",
        {
          type: "button",
          "aria-label": "Language",
          title: "The language in which Magpie speaks to you",
          onclick: /** @param {MouseEvent} event */ (event) => openLanguages(event, this.context, this.guild),
        },
        icon("language"),
      ),
      h(
        "button.round",
        {
          type: "button",
          "aria-label": "Change light and dark",
          title: "Light, dark or as the system has it",
          onclick: cycleTheme,
        },
        icon("theme"),
      ),
    );
  }
}
