/** Names, colours and avatars of members. */

import { h } from "./dom.js";
import { local } from "./media.js";

const HUES = [186, 214, 248, 276, 322, 8, 32, 152];

/**
 * @param {User | null | undefined} user
 * @param {Partial<Member> | null} [member]
 */
export function displayName(user, member) {
  return member?.nick || user?.global_name || user?.username || "Somebody";
}

/**
 * The colour of the highest role that has one, as CSS, or null.
 * @param {Guild} guild
 * @param {Member | null | undefined} member
 */
export function roleColour(guild, member) {
  const coloured = rolesOf(guild, member).find((role) => role.color);
  return coloured ? cssColour(coloured.color) : null;
}

/**
 * A member's roles, highest first, without @everyone.
 * @param {Guild} guild
 * @param {Member | null | undefined} member
 */
export function rolesOf(guild, member) {
  return (member?.roles ?? [])
    .map((id) => guild?.roles.get(id))
    .filter((role) => role !== undefined)
    .sort((a, b) => b.position - a.position);
}

/** @param {number} number */
export const cssColour = (number) => `#${number.toString(16).padStart(6, "0")}`;

/**
 * A round picture, or the initial on a colour. `size` is in CSS pixels.
 * @param {User | null | undefined} user
 * @param {number} [size]
 */
export function avatar(user, size = 40) {
  const style = { width: `${size}px`, height: `${size}px`, "font-size": `${size * 0.42}px` };
  if (user?.avatar) {
    const src = local(user.avatar_url ?? `/cdn/avatars/${user.id}/${user.avatar}.png?size=128`);
    const picture = h("img.avatar", { src, alt: "", width: size, height: size, style, draggable: "false" });
    picture.addEventListener("error", () => picture.replaceWith(initial(user, style)), { once: true });
    return picture;
  }
  return initial(user, style);
}

/**
 * @param {User | null | undefined} user
 * @param {Record<string, string>} style
 */
function initial(user, style) {
  const hue = HUES[Number(BigInt(user?.id ?? 0) % BigInt(HUES.length))];
  return h(
    "span.avatar.avatar-initial",
    { style: { ...style, "--hue": hue }, "aria-hidden": "true" },
    displayName(user).slice(0, 1).toUpperCase(),
  );
}

/**
 * A guild's icon, or the initials of its name.
 * @param {Guild} guild
 */
export function guildFace(guild) {
  if (guild.icon) {
    return h("img.guild-face", {
      src: `/cdn/icons/${guild.id}/${guild.icon}.png?size=128`,
      alt: "",
      draggable: "false",
    });
  }
  const initials = guild.name
    .split(/\s+/)
    .map((word) => word[0])
    .join("")
    .slice(0, 3);
  return h("span.guild-face", { "aria-hidden": "true" }, initials);
}

/**
 * Members as choices of a user option.
 * @param {Guild} guild
 */
export function memberChoices(guild) {
  return [...guild.members.values()].map((member) => ({
    label: `@${displayName(member.user, member)}`,
    value: member.user.id,
    detail: member.user.username,
    face: () => avatar(member.user, 24),
  }));
}
