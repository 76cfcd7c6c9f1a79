/**
 * The data of this person's client, kept up to date by the gateway's events.
 *
 * Emits "guilds", "channels" (guild id), "members", "timeline" (channel id), "typing" (channel id),
 * "unread" and "gone" (channel id: it was deleted, or can no longer be seen).
 */

import { Emitter } from "./emitter.js";
import { channelPermissions, guildPermissions, isOpen, isThread, PERMISSION } from "./permissions.js";
import { compareIds } from "./snowflake.js";
import { isEphemeral, Timeline } from "./timeline.js";

const TYPING_MS = 9_000;
export const CHANNEL = { text: 0, voice: 2, category: 4, news: 5, stage: 13, forum: 15, media: 16 };
/** @param {Pick<Channel, "type">} channel */
export const isForum = (channel) => channel.type === CHANNEL.forum || channel.type === CHANNEL.media;

/** The id that stands for direct messages where others have a server's: Discord's own pages use it. */
export const DIRECT = "@me";
const DIRECT_TYPE = 1;
const DIRECT_PERMISSIONS =
  PERMISSION.viewChannel |
  PERMISSION.sendMessages |
  PERMISSION.readHistory |
  PERMISSION.attachFiles |
  PERMISSION.addReactions;

export class Store extends Emitter {
  /** @type {User} */
  me = /** @type {any} */ (null); // until READY
  /** @type {Map<string, Guild>} */
  guilds = new Map();
  /** @type {Map<string, Timeline>} */
  timelines = new Map();
  /** @type {Map<string, number>} */
  unread = new Map(); // channel id -> number of mentions; 0 for unread without a mention
  /** @type {string | null} */
  openChannel = null; // the one on the screen, in which nothing counts as unread
  /** @type {Map<string, Map<string, number>>} */
  #typing = new Map(); // channel id -> user id -> end of typing, in ms

  // ---- reading

  /** @param {string} channelId */
  guildOf(channelId) {
    for (const guild of this.guilds.values()) {
      if (guild.channels.has(channelId) || guild.threads.has(channelId)) return guild;
    }
    return null;
  }

  /** @param {string} id */
  channel(id) {
    const guild = this.guildOf(id);
    return guild?.channels.get(id) ?? guild?.threads.get(id) ?? null;
  }

  /**
   * @param {string} guildId
   * @param {string} userId
   */
  member(guildId, userId) {
    const guild = this.guilds.get(guildId);
    // In direct messages, those are known who are in a server with this person.
    const places = guildId === DIRECT ? [guild, ...this.guilds.values()] : [guild];
    for (const place of places) {
      const member = place?.members.get(userId);
      if (member) return member;
    }
    return null;
  }

  /**
   * @param {Guild} guild
   * @returns {Member}
   */
  self(guild) {
    return guild.members.get(this.me.id) ?? { user: this.me, roles: [] };
  }

  /** @param {Channel} channel */
  permissions(channel) {
    const guild = this.guildOf(channel.id);
    return guild ? channelPermissions(guild, channel, this.self(guild)) : 0n;
  }

  /**
   * @param {Channel} channel
   * @param {bigint} permission
   */
  can(channel, permission) {
    return Boolean(this.permissions(channel) & permission);
  }

  /**
   * @param {Guild} guild
   * @param {bigint} permission
   */
  canInGuild(guild, permission) {
    return Boolean(guildPermissions(guild, this.self(guild)) & permission);
  }

  /** @param {Channel} channel */
  canSee(channel) {
    return this.can(channel, PERMISSION.viewChannel);
  }

  /** @param {Channel} channel */
  canRead(channel) {
    return isOpen(channel, this.permissions(channel));
  }

  /** @param {Channel} channel */
  canSend(channel) {
    return (
      this.canRead(channel) &&
      this.can(channel, isThread(channel) ? PERMISSION.sendInThreads : PERMISSION.sendMessages)
    );
  }

  /** @param {Channel} channel */
  isAgeRestricted(channel) {
    const place = isThread(channel) ? this.channel(channel.parent_id ?? "") : channel;
    return Boolean(place?.nsfw);
  }

  /**
   * Channels this person can see, as [{category or null, channels}], in the order of the guild.
   * @param {Guild} guild
   */
  tree(guild) {
    const all = [...guild.channels.values()].sort(byPosition);
    const categories = all.filter((channel) => channel.type === CHANNEL.category);
    /** @param {string | null} parent */
    const inside = (parent) =>
      all.filter(
        (channel) =>
          channel.type !== CHANNEL.category && (channel.parent_id ?? null) === parent && this.canSee(channel),
      );
    /** @type {{ category: Channel | null, channels: Channel[] }[]} */
    const groups = [{ category: null, channels: inside(null) }];
    for (const category of categories) groups.push({ category, channels: inside(category.id) });
    const organises = this.canInGuild(guild, PERMISSION.manageChannels);
    return groups.filter(({ category, channels }) => channels.length || (category && organises));
  }

  /**
   * Threads under a channel, the latest first; archived ones only with `archived`.
   * @param {Channel} channel
   * @param {{ archived?: boolean }} [event]
   */
  threads(channel, { archived = false } = {}) {
    const guild = this.guildOf(channel.id);
    return [...(guild?.threads.values() ?? [])]
      .filter((thread) => thread.parent_id === channel.id)
      .filter((thread) => archived || !thread.thread_metadata?.archived)
      .sort((a, b) => compareIds(b.last_message_id ?? b.id, a.last_message_id ?? a.id));
  }

  /**
   * The first channel of a guild to open: one to write in, else one to read.
   * @param {Guild} guild
   */
  firstChannel(guild) {
    const readable = this.tree(guild)
      .flatMap(({ channels }) => channels)
      .filter((channel) => !channel.nsfw);
    return readable.find((channel) => this.canSend(channel) && !isForum(channel)) ?? readable[0] ?? null;
  }

  /** @param {string} channelId */
  timeline(channelId) {
    if (!this.timelines.has(channelId)) this.timelines.set(channelId, new Timeline(channelId));
    return /** @type {Timeline} */ (this.timelines.get(channelId));
  }

  /**
   * The others who are typing in a channel now.
   * @param {string} channelId
   */
  typing(channelId) {
    const now = Date.now();
    return [...(this.#typing.get(channelId) ?? [])]
      .filter(([userId, until]) => until > now && userId !== this.me.id)
      .map(([userId]) => userId);
  }

  /** @param {string} channelId */
  markRead(channelId) {
    if (this.unread.delete(channelId)) this.emit("unread");
  }

  /**
   * Add threads that a list route returned; archived ones are not in READY.
   * @param {string} guildId
   * @param {Channel[]} threads
   */
  keepThreads(guildId, threads) {
    const guild = /** @type {Guild} */ (this.guilds.get(guildId));
    for (const thread of threads) guild.threads.set(thread.id, { ...thread, guild_id: guildId });
  }

  // ---- events

  /**
   * @param {string} type
   * @param {any} data
   */
  apply(type, data) {
    EVENTS[type]?.call(this, data);
  }

  /** @param {User} user */
  meChanged(user) {
    this.me = user;
    this.emit("guilds");
  }

  /** @param {{ user: User, guilds: GuildPayload[], private_channels?: Channel[] }} event */
  ready({ user, guilds, private_channels: direct = [] }) {
    this.me = user;
    this.guilds = new Map(
      guilds.filter((guild) => guild.channels).map((guild) => [guild.id, indexed(guild)]),
    );
    for (const channel of direct) this.#keepDirect(channel);
    for (const timeline of this.timelines.values()) timeline.stale = true;
    this.emit("guilds");
  }

  /** @param {GuildPayload} guild */
  guildCreated(guild) {
    if (guild.unavailable) return;
    this.guilds.set(guild.id, indexed(guild));
    this.emit("guilds");
  }

  /** @param {GuildPayload} guild */
  guildUpdated(guild) {
    const known = this.guilds.get(guild.id);
    if (!known) return;
    const { roles, channels: _c, threads: _t, members: _m, ...rest } = guild;
    Object.assign(known, rest);
    if (roles) known.roles = byId(roles);
    this.emit("guilds");
  }

  /** @param {{ id: string }} node */
  guildGone({ id }) {
    if (this.guilds.delete(id)) this.emit("guilds");
  }

  /** @param {{ guild_id: string, role: Role }} event */
  roleChanged({ guild_id: guildId, role }) {
    this.guilds.get(guildId)?.roles.set(role.id, role);
    this.permissionsChanged(guildId);
  }

  /** @param {{ guild_id: string, role_id: string }} event */
  roleGone({ guild_id: guildId, role_id: roleId }) {
    this.guilds.get(guildId)?.roles.delete(roleId);
    this.permissionsChanged(guildId);
  }

  /** @param {Member & { guild_id: string }} member */
  memberChanged(member) {
    const guild = this.guilds.get(member.guild_id);
    if (!guild) return;
    guild.members.set(member.user.id, { ...guild.members.get(member.user.id), ...member });
    this.permissionsChanged(guild.id);
  }

  /** @param {{ guild_id: string, user: User }} event */
  memberGone({ guild_id: guildId, user }) {
    this.guilds.get(guildId)?.members.delete(user.id);
    this.emit("members");
  }

  /** @param {string} guildId */
  permissionsChanged(guildId) {
    this.emit("members");
    this.emit("channels", guildId);
    if (this.openChannel && !this.stillVisible(this.openChannel)) this.emit("gone", this.openChannel);
  }

  /** @param {string} channelId */
  stillVisible(channelId) {
    const channel = this.channel(channelId);
    return channel && this.canSee(channel);
  }

  /**
   * Keep a channel of direct messages. They look like a server of their own, whose members are those
   * who write to this person.
   * @param {Channel} channel
   */
  #keepDirect(channel) {
    const others = channel.recipients ?? [];
    const home = this.guilds.get(DIRECT) ?? directMessages(this.me);
    for (const user of others) home.members.set(user.id, { user, roles: [] });
    const name = others.map((user) => user.global_name ?? user.username).join(", ");
    home.channels.set(channel.id, { ...channel, name, type: CHANNEL.text, guild_id: DIRECT });
    this.guilds.delete(DIRECT); // so that it comes after all servers
    this.guilds.set(DIRECT, home);
    this.emit("guilds");
  }

  /** @param {Channel} channel */
  channelChanged(channel) {
    if (channel.type === DIRECT_TYPE) {
      this.#keepDirect(channel);
      return;
    }
    const guild = this.guilds.get(channel.guild_id);
    if (!guild) return;
    const shelf = isThread(channel) ? guild.threads : guild.channels;
    shelf.set(channel.id, { ...shelf.get(channel.id), ...channel });
    this.permissionsChanged(guild.id);
  }

  /** @param {{ id: string, guild_id: string }} event */
  channelGone({ id, guild_id: guildId }) {
    const guild = this.guilds.get(guildId);
    if (!guild) return;
    guild.channels.delete(id);
    guild.threads.delete(id);
    for (const thread of [...guild.threads.values()]) {
      if (thread.parent_id === id) guild.threads.delete(thread.id);
    }
    this.timelines.delete(id);
    this.unread.delete(id);
    this.emit("channels", guildId);
    if (this.openChannel && !this.channel(this.openChannel)) this.emit("gone", this.openChannel);
  }

  /** @param {{ guild_id: string, threads: Channel[] }} event */
  threadsListed({ guild_id: guildId, threads }) {
    if (!this.guilds.has(guildId)) return;
    this.keepThreads(guildId, threads);
    this.emit("channels", guildId);
  }

  /** @param {{ id: string, guild_id: string, removed_member_ids?: string[] }} event */
  threadMembersChanged({ id, guild_id: guildId, removed_member_ids: removed = [] }) {
    const thread = this.guilds.get(guildId)?.threads.get(id);
    if (thread?.type === 12 && removed.includes(this.me.id)) this.channelGone({ id, guild_id: guildId });
  }

  /** @param {Message} message */
  messageCreated(message) {
    const channel = this.channel(message.channel_id);
    if (channel && !isEphemeral(message)) channel.last_message_id = message.id;
    this.timelines.get(message.channel_id)?.create(message);
    this.#typing.get(message.channel_id)?.delete(message.author.id);
    this.emit("timeline", message.channel_id);
    this.emit("typing", message.channel_id);
    this.#countUnread(message);
  }

  /** @param {Partial<Message> & { channel_id: string }} message */
  messageUpdated(message) {
    this.timelines.get(message.channel_id)?.update(message);
    this.emit("timeline", message.channel_id);
  }

  /** @param {{ channel_id: string, id?: string, ids?: string[] }} event */
  messagesGone({ channel_id: channelId, id = "", ids = [id] }) {
    this.timelines.get(channelId)?.remove(ids);
    this.emit("timeline", channelId);
  }

  /**
   * @param {ReactionEvent} event
   * @param {number} step
   */
  reacted(event, step) {
    const timeline = this.timelines.get(event.channel_id);
    const message = timeline?.get(event.message_id);
    if (!timeline || !message) return;
    const mine = event.user_id === this.me.id;
    timeline.update({ id: message.id, reactions: counted(message.reactions ?? [], event.emoji, step, mine) });
    this.emit("timeline", event.channel_id);
  }

  /**
   * All reactions of a message were removed, or all with one emoji.
   * @param {{ channel_id: string, message_id: string, emoji?: Emoji }} event
   */
  reactionsGone({ channel_id: channelId, message_id: id, emoji }) {
    const timeline = this.timelines.get(channelId);
    const before = timeline?.get(id)?.reactions ?? [];
    const reactions = emoji ? before.filter((one) => !sameEmoji(one.emoji, emoji)) : [];
    timeline?.update({ id, reactions });
    this.emit("timeline", channelId);
  }

  /**
   * Somebody voted in a poll (+1), or took a vote back (-1).
   * @param {VoteEvent} event
   * @param {number} step
   */
  voted({ channel_id: channelId, message_id: id, user_id: userId, answer_id: answerId }, step) {
    const timeline = this.timelines.get(channelId);
    const poll = timeline?.get(id)?.poll;
    if (!timeline || !poll) return;
    const counts = poll.results.answer_counts;
    const known = counts.find((one) => one.id === answerId) ?? { id: answerId, count: 0, me_voted: false };
    const mine = userId === this.me.id;
    const changed = { ...known, count: known.count + step, me_voted: mine ? step > 0 : known.me_voted };
    const others = counts.filter((one) => one.id !== answerId);
    const results = { ...poll.results, answer_counts: [...others, changed] };
    timeline.update({ id, poll: { ...poll, results } });
    this.emit("timeline", channelId);
  }

  /** @param {{ channel_id: string, user_id: string }} event */
  typingStarted({ channel_id: channelId, user_id: userId }) {
    if (!this.#typing.has(channelId)) this.#typing.set(channelId, new Map());
    this.#typing.get(channelId)?.set(userId, Date.now() + TYPING_MS);
    this.emit("typing", channelId);
    setTimeout(() => this.emit("typing", channelId), TYPING_MS + 100);
  }

  /** @param {Message} message */
  #countUnread(message) {
    if (message.channel_id === this.openChannel && !document.hidden) return;
    if (message.author.id === this.me.id) return;
    const mentioned = message.mention_everyone || message.mentions?.some((user) => user.id === this.me.id);
    const before = this.unread.get(message.channel_id) ?? 0;
    this.unread.set(message.channel_id, before + (mentioned ? 1 : 0));
    this.emit("unread");
  }
}

/** @type {Record<string, (this: Store, data: any) => void>} */
const EVENTS = {
  READY: Store.prototype.ready,
  USER_UPDATE: Store.prototype.meChanged,
  GUILD_CREATE: Store.prototype.guildCreated,
  GUILD_UPDATE: Store.prototype.guildUpdated,
  GUILD_DELETE: Store.prototype.guildGone,
  GUILD_ROLE_CREATE: Store.prototype.roleChanged,
  GUILD_ROLE_UPDATE: Store.prototype.roleChanged,
  GUILD_ROLE_DELETE: Store.prototype.roleGone,
  GUILD_MEMBER_ADD: Store.prototype.memberChanged,
  GUILD_MEMBER_UPDATE: Store.prototype.memberChanged,
  GUILD_MEMBER_REMOVE: Store.prototype.memberGone,
  CHANNEL_CREATE: Store.prototype.channelChanged,
  CHANNEL_UPDATE: Store.prototype.channelChanged,
  CHANNEL_DELETE: Store.prototype.channelGone,
  THREAD_CREATE: Store.prototype.channelChanged,
  THREAD_UPDATE: Store.prototype.channelChanged,
  THREAD_DELETE: Store.prototype.channelGone,
  THREAD_LIST_SYNC: Store.prototype.threadsListed,
  THREAD_MEMBERS_UPDATE: Store.prototype.threadMembersChanged,
  MESSAGE_CREATE: Store.prototype.messageCreated,
  MESSAGE_UPDATE: Store.prototype.messageUpdated,
  MESSAGE_DELETE: Store.prototype.messagesGone,
  MESSAGE_DELETE_BULK: Store.prototype.messagesGone,
  /** @param {ReactionEvent} event */
  MESSAGE_REACTION_ADD(event) {
    this.reacted(event, 1);
  },
  /** @param {ReactionEvent} event */
  MESSAGE_REACTION_REMOVE(event) {
    this.reacted(event, -1);
  },
  MESSAGE_REACTION_REMOVE_ALL: Store.prototype.reactionsGone,
  MESSAGE_REACTION_REMOVE_EMOJI: Store.prototype.reactionsGone,
  /** @param {VoteEvent} event */
  MESSAGE_POLL_VOTE_ADD(event) {
    this.voted(event, 1);
  },
  /** @param {VoteEvent} event */
  MESSAGE_POLL_VOTE_REMOVE(event) {
    this.voted(event, -1);
  },
  TYPING_START: Store.prototype.typingStarted,
};

/**
 * @template {{ id: string }} T
 * @param {T[] | undefined} items
 * @returns {Map<string, T>}
 */
const byId = (items) => new Map((items ?? []).map((item) => [item.id, item]));

/**
 * @param {Channel} a
 * @param {Channel} b
 */
function byPosition(a, b) {
  const voiceLast = Number(a.type === CHANNEL.voice) - Number(b.type === CHANNEL.voice);
  return voiceLast || (a.position ?? 0) - (b.position ?? 0) || compareIds(a.id, b.id);
}

/** @param {User} me */
function directMessages(me) {
  return indexed(
    /** @type {any} */ ({
      id: DIRECT,
      name: "Direct messages",
      owner_id: "",
      roles: [{ id: DIRECT, name: "@everyone", permissions: String(DIRECT_PERMISSIONS), position: 0 }],
      channels: [],
      threads: [],
      members: [{ user: me, roles: [] }],
    }),
  );
}

/** @param {GuildPayload} guild */
function indexed(guild) {
  /** @param {Channel[] | undefined} channels */
  const placed = (channels) => byId((channels ?? []).map((item) => ({ ...item, guild_id: guild.id })));
  return {
    ...(guild.properties ?? {}), // for people's clients, Discord has name, icon and owner in here
    ...guild,
    roles: byId(guild.roles),
    channels: placed(guild.channels),
    threads: placed(guild.threads),
    members: new Map((guild.members ?? []).map((member) => [member.user.id, member])),
  };
}

/**
 * @param {Emoji} one
 * @param {Emoji} other
 */
const sameEmoji = (one, other) => one.name === other.name && one.id === other.id;

/**
 * The reactions after one was added (+1) or removed (-1).
 * @param {Reaction[]} reactions
 * @param {Emoji} emoji
 * @param {number} step
 * @param {boolean} mine
 */
function counted(reactions, emoji, step, mine) {
  /** @param {Reaction} reaction */
  const same = (reaction) => sameEmoji(reaction.emoji, emoji);
  const known = reactions.find(same) ?? { emoji, count: 0, me: false };
  const changed = { ...known, count: known.count + step, me: mine ? step > 0 : known.me };
  const others = reactions.some(same)
    ? reactions.map((reaction) => (same(reaction) ? changed : reaction))
    : [...reactions, changed];
  return others.filter((reaction) => reaction.count > 0);
}
