/**
 * Discord's computation of permissions, for what the page offers. The server decides what is allowed.
 * source: "Permission Overwrites" in Discord's documentation of permissions.
 */

export const PERMISSION = {
  administrator: 1n << 3n,
  manageChannels: 1n << 4n,
  manageGuild: 1n << 5n,
  addReactions: 1n << 6n,
  viewChannel: 1n << 10n,
  sendMessages: 1n << 11n,
  manageMessages: 1n << 13n,
  attachFiles: 1n << 15n,
  readHistory: 1n << 16n,
  connect: 1n << 20n,
  useCommands: 1n << 31n,
  manageThreads: 1n << 34n,
  createThreads: 1n << 35n,
  sendInThreads: 1n << 38n,
};
const ALL = (1n << 60n) - 1n;
const VOICE = new Set([2, 13]);

/**
 * The permissions of `member` in the guild, from their roles.
 * @param {Guild} guild
 * @param {Pick<Member, "roles"> & { user: { id: string } } | null | undefined} member
 */
export function guildPermissions(guild, member) {
  if (guild.owner_id === member?.user?.id) return ALL;
  let allowed = BigInt(guild.roles.get(guild.id)?.permissions ?? 0);
  for (const id of member?.roles ?? []) allowed |= BigInt(guild.roles.get(id)?.permissions ?? 0);
  return allowed & PERMISSION.administrator ? ALL : allowed;
}

/**
 * The permissions of `member` in `channel`; a thread has those of its parent.
 * @param {Guild} guild
 * @param {Channel} channel
 * @param {Pick<Member, "roles"> & { user: { id: string } } | null | undefined} member
 */
export function channelPermissions(guild, channel, member) {
  const allowed = guildPermissions(guild, member);
  if (allowed === ALL) return ALL;
  const place = isThread(channel) ? guild.channels.get(channel.parent_id ?? "") : channel;
  if (!place) return 0n;
  const result = applyOverwrites(allowed, place.permission_overwrites ?? [], guild.id, member);
  return result & PERMISSION.viewChannel ? result : 0n;
}

/**
 * Whether a member with these permissions can see the channel. The chat of a voice channel also needs Connect.
 * @param {Channel} channel
 * @param {bigint} permissions
 */
export function isOpen(channel, permissions) {
  const needed = PERMISSION.viewChannel | (VOICE.has(channel.type) ? PERMISSION.connect : 0n);
  return (permissions & needed) === needed;
}

/**
 * @param {bigint} allowed
 * @param {Overwrite[]} overwrites
 * @param {string} everyoneId
 * @param {Pick<Member, "roles"> & { user: { id: string } } | null | undefined} member
 */
function applyOverwrites(allowed, overwrites, everyoneId, member) {
  const byId = new Map(overwrites.map((overwrite) => [overwrite.id, overwrite]));
  /** @param {Pick<Overwrite, "allow" | "deny"> | undefined} overwrite */
  const apply = (overwrite) => {
    if (overwrite) allowed = (allowed & ~BigInt(overwrite.deny)) | BigInt(overwrite.allow);
  };
  apply(byId.get(everyoneId));
  const roles = (member?.roles ?? [])
    .map((id) => byId.get(id))
    .filter((overwrite) => overwrite !== undefined);
  apply({
    deny: roles.reduce((bits, overwrite) => bits | BigInt(overwrite.deny), 0n),
    allow: roles.reduce((bits, overwrite) => bits | BigInt(overwrite.allow), 0n),
  });
  apply(byId.get(member?.user?.id ?? ""));
  return allowed;
}

/** @param {Pick<Channel, "type">} channel */
export function isThread(channel) {
  return channel.type >= 10 && channel.type <= 12;
}

/**
 * Whether the channel is hidden from @everyone, and so gets a lock.
 * @param {Guild} guild
 * @param {Channel} channel
 */
export function isPrivate(guild, channel) {
  if (channel.type === 12) return true;
  const everyone = { user: { id: "0" }, roles: [] };
  return !isOpen(channel, channelPermissions(guild, channel, everyone));
}
