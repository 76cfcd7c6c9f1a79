/**
 * The field for writing: text, replies, pictures (picked, dropped, pasted), mentions, slash commands.
 * Enter sends, Shift+Enter breaks the line, Esc cancels a reply, ArrowUp in an empty field edits the last message.
 */

import { commandData, commandLabel, matching, parseTyped, slashCommands, takesFile } from "./commands.js";
import { CommandForm } from "./commandform.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { avatar, displayName } from "./people.js";
import { isThread, PERMISSION } from "./permissions.js";
import { freshId } from "./snowflake.js";
import { Suggestions } from "./suggest.js";
import { toast } from "./toast.js";
import { Uploads } from "./uploads.js";

const MAX_CHARACTERS = 2000;
const TYPING_EVERY_MS = 8_000;
const MAX_MENTIONS_OFFERED = 8;

export class Composer {
  /** @type {Channel} */
  #channel = /** @type {any} */ (null); // until open()
  /** @type {Guild} */
  #guild = /** @type {any} */ (null); // until open()
  /** @type {Map<string, string>} */
  #drafts = new Map(); // channel id -> text
  /** @type {{ message: Message, ping: boolean } | null} */
  #reply = null;
  /** @type {CommandForm | null} */
  #form = null;
  #typedAt = 0;
  /** @type {string | null} */
  #warnedAbout = null; // text that looks like a command but isn't one; a second Enter sends it

  /**
   * context: the App's shared parts: {store, api, interactions, commandIndex, messages}
   * @param {Context} context
   */
  constructor(context) {
    this.context = context;
    this.suggestions = new Suggestions();
    this.uploads = new Uploads(() => this.#refresh());
    this.picker = h("input", { type: "file", multiple: true, hidden: true, onchange: () => this.#pick() });
    this.field = h("textarea.composer-field", {
      rows: 1,
      "aria-label": "Message",
      spellcheck: "true",
      autocomplete: "off",
      dataset: { role: "composer" },
      oninput: () => this.#typed(),
      onkeydown: (event) => this.#key(event),
      onblur: () => this.suggestions.hide(),
    });
    this.attach = h(
      "button.round",
      {
        type: "button",
        "aria-label": "Add pictures",
        title: "Add pictures",
        onclick: () => this.picker.click(),
      },
      icon("plus"),
    );
    this.sendButton = h(
      "button.round.send",
      { type: "button", "aria-label": "Send", title: "Send (Enter)", onclick: () => this.#submit() },
      icon("send"),
    );
    this.counter = h("span.counter", { "aria-live": "polite" });
    this.replyBar = h("div.reply-bar", { hidden: true });
    this.plain = h(
      "div.composer-plain",
      {},
      this.attach,
      this.field,
      this.counter,
      this.sendButton,
      this.picker,
    );
    this.refusal = h("p.composer-refusal", { hidden: true });
    this.box = h("div.composer-box", {}, this.replyBar, this.uploads.element, this.plain, this.refusal);
    this.element = h("div.composer", {}, this.suggestions.element, this.box);
    this.element.addEventListener("paste", (event) => this.#paste(event));
  }

  /**
   * @param {Channel} channel
   * @param {Guild} guild
   */
  open(channel, guild) {
    if (this.#channel) this.#drafts.set(this.#channel.id, this.field.value);
    const other = this.#channel?.id !== channel.id;
    this.#channel = channel;
    this.#guild = guild;
    if (!other) return this.#refresh();
    this.#leaveForm();
    this.#setReply(null);
    this.uploads.clear();
    this.field.value = this.#drafts.get(channel.id) ?? "";
    this.suggestions.hide();
    this.#refresh();
  }

  focus() {
    if (this.#form) this.#form.focus();
    else this.field.focus();
  }

  /**
   * Put `text` in the field, as if it had been typed. A complete command becomes pills.
   * @param {string} text
   */
  async fill(text) {
    this.#leaveForm();
    this.field.value = text;
    this.#refresh();
    this.field.focus();
    if (text.startsWith("/")) {
      await this.context.commandIndex.load(this.#guild.id);
      if (this.field.value === text && !this.#enterTyped()) this.#suggest();
    }
  }

  /** @param {Message} message */
  replyTo(message) {
    this.#setReply(message);
    this.focus();
  }

  /** @param {File[]} files */
  takeFiles(files) {
    if (!files.length || !this.#channel) return;
    if (this.#form?.takeFiles(files)) return this.#form.focus();
    if (!this.context.store.can(this.#channel, PERMISSION.attachFiles))
      return toast("You may not post files here.", "problem");
    const problem = this.uploads.add(files);
    if (problem) toast(problem, "problem");
    this.focus();
  }

  // ---- keys and typing

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing) return; // this Enter belongs to the input method
    if (this.suggestions.key(event, { passEnter: this.#isComplete() })) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape" && this.#reply) {
      event.preventDefault();
      this.#setReply(null);
    } else if (event.key === "ArrowUp" && !this.field.value) {
      event.preventDefault();
      this.context.messages.editLast();
    }
  }

  #typed() {
    this.#warnedAbout = null;
    this.#refresh();
    if (this.field.value.startsWith("/")) {
      this.context.commandIndex.load(this.#guild.id).then(() => this.#commandTyped());
      this.#commandTyped();
    } else {
      this.#suggestMentions();
      this.#sayTyping();
    }
  }

  /** A command's full name and a space, typed at the end: its options appear. */
  #commandTyped() {
    if (!this.field.value.startsWith("/") || this.#form) return;
    if (!/\s/.test(this.field.value) || !this.#enterTyped()) this.#suggest();
  }

  #enterTyped() {
    const typed = parseTyped(this.field.value, this.#leaves());
    // wait for the space: "/channels add" is also the beginning of "/channels address"
    if (!typed || !this.field.value.slice(1 + typed.leaf.name.length)) return false;
    this.#enterForm(typed.leaf, typed.texts);
    return true;
  }

  /** A command without options, typed in full: there is nothing left to choose. */
  #isComplete() {
    return parseTyped(this.field.value.trim(), this.#leaves())?.leaf.options.length === 0;
  }

  #suggest() {
    const { commandIndex } = this.context;
    const leaves = this.#leaves();
    const typed = this.field.value.slice(1);
    const items = matching(leaves, typed).map((leaf) => ({
      label: `/${leaf.name}`,
      detail: leaf.description,
      hint: leaf.options.map((option) => option.name).join("  "),
      face: avatar(this.context.faceOf(leaf.application), 28),
      data: leaf,
    }));
    const nobody = "Magpie isn’t connected yet, so there are no commands. They appear as soon as it is.";
    this.suggestions.show(this.field, {
      title: typed ? `Commands matching /${typed.trim()}` : "Commands",
      items,
      empty: !commandIndex.loaded(this.#guild.id) ? "Looking for commands…" : leaves.length ? null : nobody,
      choose: ({ data }) => this.#enterForm(data, {}),
    });
  }

  #leaves() {
    return slashCommands(this.context.commandIndex.of(this.#guild.id));
  }

  #suggestMentions() {
    const before = this.field.value.slice(0, this.field.selectionStart);
    const match = /(?:^|\s)([@#])([^\s@#][^@#\n]{0,30}|)$/.exec(before);
    if (!match) return this.suggestions.hide();
    const typed = match[2].toLowerCase();
    const all = match[1] === "@" ? this.#mentionable() : this.#channelNames();
    const items = all
      .filter((item) => item.search.includes(typed))
      .sort((a, b) => Number(b.search.startsWith(typed)) - Number(a.search.startsWith(typed)))
      .slice(0, MAX_MENTIONS_OFFERED);
    // a complete name needs no choice, so Enter sends
    if (items.length === 1 && items[0].data.slice(1).toLowerCase() === typed) return this.suggestions.hide();
    this.suggestions.show(this.field, {
      title: match[1] === "@" ? "Members and roles" : "Channels",
      items,
      choose: ({ data }) => this.#insert(match[2].length + 1, `${data} `),
    });
  }

  /**
   * @param {number} replaced
   * @param {string} text
   */
  #insert(replaced, text) {
    const end = this.field.selectionStart;
    this.field.setRangeText(text, end - replaced, end, "end");
    this.suggestions.hide();
    this.#refresh();
  }

  #mentionable() {
    const { store } = this.context;
    const members = [...this.#guild.members.values()].map((member) => {
      const name = displayName(member.user, member);
      return {
        label: name,
        detail: member.user.username,
        search: `${name} ${member.user.username}`.toLowerCase(),
        face: avatar(member.user, 24),
        data: `@${name}`,
      };
    });
    const taken = new Set(members.map((item) => item.label)); // an application and its role have the same name
    const roles = [...this.#guild.roles.values()]
      .filter(
        (role) =>
          role.id !== this.#guild.id &&
          !taken.has(role.name) &&
          (role.mentionable || store.canInGuild(this.#guild, PERMISSION.manageGuild)),
      )
      .map((role) => ({
        label: `@${role.name}`,
        detail: "role",
        search: role.name.toLowerCase(),
        data: `@${role.name}`,
      }));
    return [...members, ...roles];
  }

  #channelNames() {
    return this.context.store
      .tree(this.#guild)
      .flatMap(({ channels }) => channels)
      .map((channel) => ({
        label: `#${channel.name}`,
        search: channel.name.toLowerCase(),
        data: `#${channel.name}`,
      }));
  }

  #sayTyping() {
    if (!this.field.value || Date.now() - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = Date.now();
    this.context.api.post(`/channels/${this.#channel.id}/typing`).catch(() => {}); // a failure doesn't matter
  }

  // ---- sending

  async #submit() {
    const text = this.field.value.trim();
    if (text.startsWith("/")) {
      await this.context.commandIndex.load(this.#guild.id);
      const typed = parseTyped(text, this.#leaves());
      if (typed && (!this.uploads.size || takesFile(typed.leaf))) return this.#runTyped(typed);
      if (!this.uploads.size && this.#warnedAbout !== text) return this.#warnUnknown(text);
    }
    if ((!text && !this.uploads.size) || text.length > MAX_CHARACTERS) return;
    this.#post(text);
  }

  /** @param {{ leaf: Leaf, texts: Record<string, string> }} typed */
  #runTyped({ leaf, texts }) {
    this.#enterForm(leaf, texts);
    this.#form?.submit();
  }

  /** @param {string} text */
  #warnUnknown(text) {
    this.#warnedAbout = text;
    const nobody = !this.#leaves().length;
    toast(
      nobody
        ? "Magpie isn’t connected yet. Press Enter again to post this as text."
        : `There is no command ${text.split(/\s/)[0]} here. Press Enter again to post it as text.`,
      "problem",
    );
  }

  /** @param {string} text */
  #post(text) {
    /** @type {MessagePayload} */
    const payload = { content: this.#withIds(text), nonce: freshId(), tts: false };
    if (this.#reply) {
      payload.message_reference = {
        channel_id: this.#channel.id,
        guild_id: this.#guild.id,
        message_id: this.#reply.message.id,
      };
      payload.allowed_mentions = { parse: ["users", "roles", "everyone"], replied_user: this.#reply.ping };
    }
    const files = this.uploads.take();
    if (files.length)
      payload.attachments = files.map((file, index) => ({ id: String(index), filename: file.name }));
    const replied = this.#reply?.message ?? null;
    this.field.value = "";
    this.#drafts.delete(this.#channel.id);
    this.#setReply(null);
    this.#typedAt = 0;
    this.#refresh();
    this.context.send(this.#channel.id, payload, files, replied);
  }

  /**
   * "@Ada" and "#pets" → the form with ids that Discord needs. The longest names come first,
   * so that @Ada B isn't read as @Ada.
   * @param {string} text
   */
  #withIds(text) {
    const names = new Map();
    for (const role of this.#guild.roles.values())
      if (role.id !== this.#guild.id) names.set(`@${role.name}`, `<@&${role.id}>`);
    for (const { user, ...member } of this.#guild.members.values()) {
      names.set(`@${user.username}`, `<@${user.id}>`);
      names.set(`@${displayName(user, member)}`, `<@${user.id}>`);
    }
    for (const channel of this.#guild.channels.values()) {
      if (this.context.store.canSee(channel)) names.set(`#${channel.name}`, `<#${channel.id}>`);
    }
    const longestFirst = [...names.keys()].sort((a, b) => b.length - a.length);
    const pattern = new RegExp(
      `(?<![\\w<@&#])(?:${longestFirst.map(escapePattern).join("|")})(?![\\w-])`,
      "gu",
    );
    const parts = text.split(/(`[^`]+`)/); // code is not changed
    return parts
      .map((part, index) => (index % 2 ? part : part.replace(pattern, (name) => names.get(name))))
      .join("");
  }

  // ---- commands

  /**
   * @param {Leaf} leaf
   * @param {Record<string, string>} texts
   */
  #enterForm(leaf, texts) {
    this.suggestions.hide();
    const { store, interactions, people } = this.context;
    const place = {
      guildId: this.#guild.id,
      channelId: this.#channel.id,
      applicationId: leaf.application.id,
    };
    /** @type {FormContext} */
    const context = {
      store,
      guild: this.#guild,
      people,
      suggestions: this.suggestions,
      autocomplete: (chosen, values, focused) =>
        interactions.autocomplete({ ...place, data: commandData(chosen, values, { focused }).data }),
    };
    this.#form?.element.remove();
    const form = new CommandForm(leaf, context, {
      send: (values, labels) => {
        this.#leaveForm();
        this.field.value = "";
        this.#refresh();
        this.field.focus();
        interactions.run({ ...place, ...commandData(leaf, values), label: commandLabel(leaf, labels) });
      },
      leave: () => {
        this.#leaveForm();
        this.field.value = "";
        this.#refresh();
        this.field.focus();
      },
    });
    this.#form = form;
    form.fill(texts);
    this.plain.hidden = true;
    this.uploads.element.hidden = true;
    this.box.append(form.element);
    if (this.uploads.size && takesFile(leaf)) this.#handUploads(form);
    form.focus();
  }

  /**
   * A picture that was added before the command was typed is meant for it.
   * @param {CommandForm} form
   */
  #handUploads(form) {
    const [first, ...others] = this.uploads.take();
    form.takeFiles([first]);
    this.uploads.add(others);
  }

  #leaveForm() {
    this.#form?.element.remove();
    this.#form = null;
    this.plain.hidden = false;
    this.uploads.element.hidden = !this.uploads.size;
    this.suggestions.hide();
  }

  // ---- appearance

  /** @param {Message | null} message */
  #setReply(message) {
    const reply = message && { message, ping: message.author.id !== this.context.store.me?.id };
    this.#reply = reply;
    this.replyBar.hidden = !reply;
    if (!message || !reply) return;
    const name = displayName(message.author, this.context.store.member(this.#guild.id, message.author.id));
    const ping = h("button.ping", {
      type: "button",
      "aria-pressed": String(reply.ping),
      title: "Notify the author",
    });
    const drawPing = () => {
      ping.textContent = reply.ping ? "@ on" : "@ off";
      ping.setAttribute("aria-pressed", String(reply.ping));
    };
    ping.addEventListener("click", () => {
      reply.ping = !reply.ping;
      drawPing();
    });
    drawPing();
    replace(
      this.replyBar,
      icon("reply"),
      h("span", {}, "Replying to ", h("b", {}, name)),
      ping,
      h(
        "button.plain",
        { type: "button", "aria-label": "Stop replying", title: "Esc", onclick: () => this.#setReply(null) },
        icon("close"),
      ),
    );
  }

  #refresh() {
    if (!this.#channel) return;
    const { store } = this.context;
    const mayWrite = store.canSend(this.#channel);
    const command = store.can(this.#channel, PERMISSION.useCommands);
    this.plain.hidden = Boolean(this.#form) || !(mayWrite || command);
    this.refusal.hidden = mayWrite || command;
    this.refusal.textContent = "You do not have permission to write in this channel.";
    this.attach.hidden = !store.can(this.#channel, PERMISSION.attachFiles);
    this.field.placeholder = placeholder(this.#channel, mayWrite);
    const left = MAX_CHARACTERS - this.field.value.length;
    this.counter.textContent = left < 200 ? String(left) : "";
    this.counter.classList.toggle("problem", left < 0);
    this.sendButton.disabled = (!this.field.value.trim() && !this.uploads.size) || left < 0;
    this.field.style.height = "auto";
    if (this.field.isConnected) this.field.style.height = `${this.field.scrollHeight}px`;
  }

  #pick() {
    this.takeFiles([...(this.picker.files ?? [])]);
    this.picker.value = "";
  }

  /** @param {ClipboardEvent} event */
  #paste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    this.takeFiles(files);
  }
}

/**
 * @param {Channel} channel
 * @param {boolean} mayWrite
 */
function placeholder(channel, mayWrite) {
  const mark = isThread(channel) ? "" : "#";
  return mayWrite ? `Message ${mark}${channel.name}` : "Only commands here: type /";
}

/** @param {string} text */
const escapePattern = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
