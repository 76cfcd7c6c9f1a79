/** On the right of the chat: the members, under the roles that are shown separately. */

import { h, replace } from "./dom.js";
import { avatar, displayName, roleColour, rolesOf } from "./people.js";
import { channelPermissions, PERMISSION } from "./permissions.js";

export class MemberPanel {
  /**
   * context: {store, personByUser(id), become(person), signal}
   * @param {Context} context
   */
  constructor(context) {
    /** @type {Guild} */
    this.guild = /** @type {any} */ (null); // while the person is in no guild
    /** @type {Channel | null} */
    this.channel = null;
    this.context = context;
    this.element = h("aside.members", { "aria-label": "Members who can see this channel" });
    context.store.on("members", () => this.draw(), context.signal);
  }

  /**
   * @param {Guild | null} guild
   * @param {Channel | null} channel
   */
  show(guild, channel) {
    this.guild = /** @type {Guild} */ (guild);
    this.channel = channel;
    this.draw();
  }

  draw() {
    if (!this.guild) return replace(this.element);
    replace(
      this.element,
      ...this.#groups().map(([title, members]) =>
        h(
          "section",
          {},
          h("h3", {}, `${title} — ${members.length}`),
          h(
            "ul",
            {},
            members.map((member) => this.#row(member)),
          ),
        ),
      ),
    );
  }

  /**
   * [[title, members]]: by the highest hoisted role, then applications, then all others.
   * @returns {[string, Member[]][]}
   */
  #groups() {
    /** @type {Map<string, { rank: number, members: Member[] }>} */
    const groups = new Map();
    for (const member of this.#present()) {
      const hoisted = rolesOf(this.guild, member).find((role) => role.hoist);
      const [title, rank] = hoisted
        ? [hoisted.name, -hoisted.position]
        : member.user.bot
          ? ["Apps", 0]
          : ["Members", 1];
      if (!groups.has(title)) groups.set(title, { rank, members: [] });
      groups.get(title)?.members.push(member);
    }
    return [...groups]
      .sort(([, a], [, b]) => a.rank - b.rank)
      .map(([title, { members }]) => [title, members]);
  }

  #present() {
    /** @param {Member} member */
    const sees = (member) =>
      !this.channel || channelPermissions(this.guild, this.channel, member) & PERMISSION.viewChannel;
    return [...this.guild.members.values()]
      .filter(sees)
      .sort((a, b) => displayName(a.user, a).localeCompare(displayName(b.user, b)));
  }

  /** @param {Member} member */
  #row(member) {
    const { store, personByUser, become } = this.context;
    const name = displayName(member.user, member);
    const person = personByUser(member.user.id);
    const me = member.user.id === store.me.id;
    const face = [
      avatar(member.user, 32),
      h("span.member-name", { style: { "--role": roleColour(this.guild, member) } }, name),
      member.user.bot && h("span.app-tag", {}, "App"),
      me && h("small", {}, "you"),
      this.guild.owner_id === member.user.id && h("small", {}, "owner"),
    ];
    const title = rolesOf(this.guild, member)
      .map((role) => role.name)
      .join(", ");
    if (!person || me) return h("li.member", { title }, face);
    return h(
      "li",
      {},
      h(
        "button.member",
        {
          type: "button",
          title: `${title ? `${title}. ` : ""}Click to be ${name}`,
          onclick: () => become(person),
        },
        face,
      ),
    );
  }
}
