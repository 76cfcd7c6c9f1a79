/**
 * One person's client: wires the connection, the store and the views, and knows which channel is open.
 * The address after "#" is the place: #/server/channel/message.
 */

import { Api } from "./api.js";
import { channelIcon, Sidebar } from "./sidebar.js";
import { CommandIndex } from "./commandindex.js";
import { Composer } from "./composer.js";
import { attempt, openDialog } from "./dialog.js";
import { h, replace } from "./dom.js";
import { Forum } from "./forum.js";
import { Gateway } from "./gateway.js";
import { hintsPanel, hintsWanted } from "./hints.js";
import { icon, magpie } from "./icons.js";
import { Interactions } from "./interactions.js";
import { MemberPanel } from "./members.js";
import { closeMenu } from "./menu.js";
import { openChannelMenu, openMessageMenu, toolbar } from "./messagemenu.js";
import { MessageList } from "./messagelist.js";
import { openModal } from "./modal.js";
import { avatar, displayName } from "./people.js";
import { CHANNEL, isForum, Store } from "./store.js";
import { openSwitcher } from "./switcher.js";
import { cycleTheme } from "./theme.js";
import { toast } from "./toast.js";

const BANNER_AFTER_MS = 600; // a reconnect this quick needs no words
const ADULT = "magpie.adult."; // in sessionStorage: this person agreed to see this channel
const NARROW = window.matchMedia("(max-width: 720px)");
const ROOMY = window.matchMedia("(min-width: 1180px)"); // there is space for the members beside the chat

export class App {
  #guild = null;
  #channel = null;
  #controller = new AbortController();
  #bannerTimer = null;

  /** person: {user, token, …} from /sandbox/people. become(person) and leave() change who this tab is. */
  constructor({ person, people, become, leave }) {
    this.person = person;
    this.people = people;
    this.become = become;
    this.leave = leave;
    this.store = new Store();
    this.api = new Api(person.token);
    this.gateway = new Gateway(person.token);
    this.interactions = new Interactions(this.api, this.gateway);
    this.commandIndex = new CommandIndex(this.api);
    this.context = this.#sharedContext();
    this.#buildViews();
    this.#listen();
    this.gateway.open();
  }

  close() {
    this.#controller.abort();
    clearTimeout(this.#bannerTimer);
    this.gateway.close();
    closeMenu();
  }

  // ---- building

  /** What views share: the parts, and what they can ask the App for. */
  #sharedContext() {
    const { store, api, interactions, commandIndex } = this;
    return {
      store, api, interactions, commandIndex, signal: this.#controller.signal,
      go: (target) => this.go(target),
      goGuild: (guild) => this.#goFirst(guild),
      run: (text) => this.composer.fill(text),
      press: (message, component, values) => interactions.press(message, component, values, { guildId: this.#guild.id, channelId: message.channel_id }),
      people: (guild) => memberChoices(guild),
      faceOf: (application) => store.member(this.#guild.id, application.bot?.id ?? application.id)?.user ?? { id: application.id, username: application.name },
      reply: (message) => this.composer.replyTo(message),
      edit: (message) => this.messages.edit(message),
      dismiss: (message) => this.#forget(message),
      retry: (message) => this.#retry(message),
      toggleReaction: (message, reaction) => this.#toggleReaction(message, reaction),
      focusComposer: () => this.composer.focus(),
      send: (...message) => this.#send(...message),
      createChannel: (guild, parentId) => this.#createChannel(guild, parentId),
      openChannelMenu: (event, channel) => openChannelMenu(event, channel, this.context),
      switchPerson: () => openSwitcher({ people: this.people, me: this.store.me, become: this.become, leave: this.leave }),
      personByUser: (id) => this.people.find((person) => person.user.id === id),
      become: (person) => this.become(person),
      cycleTheme,
    };
  }

  #buildViews() {
    this.sidebar = new Sidebar(this.context);
    this.messages = new MessageList(this.context);
    this.context.messages = this.messages;
    this.composer = new Composer(this.context);
    this.members = new MemberPanel(this.context);
    this.forum = new Forum(this.context);
    this.header = h("header.chat-header");
    this.banner = h("p.banner", { role: "status", hidden: true });
    this.gate = h("section.gate", { hidden: true });
    this.typing = h("p.typing", { "aria-live": "polite" });
    this.hints = h("div.hints-place");
    this.dropVeil = h("div.drop-veil", { hidden: true }, icon("picture"), h("p", {}, "Drop to add"));
    this.column = h("div.chat-column", {}, this.messages.element, this.forum.element, this.gate, this.hints,
      h("div.composer-place", {}, this.composer.element, this.typing), this.dropVeil);
    this.welcome = h("div.welcome", {}, magpie(72), h("p", {}, "Flying in…"));
    this.element = h("div.app.starting", {}, this.sidebar.element,
      h("main.chat", {}, this.header, this.banner, h("div.chat-body", {}, this.column, this.members.element)), this.welcome);
    this.element.classList.toggle("with-members", ROOMY.matches);
  }

  #listen() {
    const { signal } = this.#controller;
    const { store, gateway, interactions } = this;
    gateway.on("dispatch", (type, data) => this.#dispatch(type, data));
    gateway.on("state", (state) => this.#connection(state));
    interactions.on("begun", (channelId) => channelId === this.#channel?.id && this.messages.follow());
    interactions.on("modal", (modal) => this.#openModal(modal));
    store.on("guilds", () => this.#guildsChanged());
    store.on("channels", (guildId) => guildId === this.#guild?.id && this.#refreshPlace());
    store.on("members", () => this.messages.draw(true));
    store.on("gone", () => this.#channelGone());
    store.on("typing", (id) => id === this.#channel?.id && this.#drawTyping());
    store.on("unread", () => this.#drawTitle());
    window.addEventListener("hashchange", () => this.#followAddress(), { signal });
    document.addEventListener("visibilitychange", () => !document.hidden && this.#channel && store.markRead(this.#channel.id), { signal });
    ROOMY.addEventListener("change", () => this.element.classList.toggle("with-members", ROOMY.matches), { signal });
    this.column.addEventListener("pointerdown", () => this.#closeDrawers(), { signal });
    window.addEventListener("online", () => gateway.open(), { signal });
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.#listenToMessages();
    this.#listenToDrops();
  }

  #dispatch(type, data) {
    this.store.apply(type, data);
    this.interactions.apply(type, data);
    if (type === "GUILD_APPLICATION_COMMAND_INDEX_UPDATE" || type === "GUILD_APPLICATION_COMMANDS_UPDATE") this.commandIndex.forget();
  }

  // ---- places

  /** Go to {guildId, channelId, messageId}; anything this person cannot see says so. */
  go({ guildId, channelId, messageId }) {
    const address = `#/${guildId}/${channelId}${messageId ? `/${messageId}` : ""}`;
    if (location.hash === address) this.#followAddress();
    else location.hash = address;
  }

  #goFirst(guild) {
    const channel = this.store.firstChannel(guild);
    if (channel) this.go({ guildId: guild.id, channelId: channel.id, messageId: null });
    else this.#showNoChannel(guild);
  }

  #followAddress() {
    const [, guildId, channelId, messageId] = /^#\/(\d+)\/(\d+)(?:\/(\d+))?$/.exec(location.hash) ?? [];
    const guild = this.store.guilds.get(guildId);
    const channel = guild && (guild.channels.get(channelId) ?? guild.threads.get(channelId));
    if (channel && channel.type !== CHANNEL.category && this.store.canSee(channel)) return this.#show(guild, channel, messageId ?? null);
    if (guildId) toast(`${displayName(this.store.me)} cannot see that channel, or it is gone.`, "problem");
    this.#stayOrGoFirst();
  }

  /** The address led nowhere: keep what is open, else the first channel there is. */
  #stayOrGoFirst() {
    if (this.#channel && this.store.stillVisible(this.#channel.id)) {
      history.replaceState(null, "", `#/${this.#guild.id}/${this.#channel.id}`);
      return;
    }
    const guild = this.#guild ?? [...this.store.guilds.values()][0];
    if (guild) this.#goFirst(guild);
    else this.#showNoChannel(null);
  }

  #show(guild, channel, messageId) {
    this.#guild = guild;
    this.#channel = channel;
    this.store.openChannel = channel.id;
    this.element.classList.remove("nav-open");
    this.element.dataset.view = this.#viewOf(channel);
    this.sidebar.show(guild, channel);
    this.members.show(guild, channel);
    this.store.markRead(channel.id);
    this.#drawHeader();
    this.#drawTyping();
    this.#drawTitle();
    this.#openView(guild, channel, messageId);
  }

  #viewOf(channel) {
    if (!this.store.canRead(channel)) return "closed";
    const agreed = sessionStorage.getItem(ADULT + (channel.type >= 10 && channel.type <= 12 ? channel.parent_id : channel.id));
    if (this.store.isAgeRestricted(channel) && !agreed) return "gate";
    return isForum(channel) ? "forum" : "messages";
  }

  async #openView(guild, channel, messageId) {
    const { view } = this.element.dataset;
    this.messages.element.hidden = view !== "messages";
    this.forum.element.hidden = view !== "forum";
    this.gate.hidden = view !== "gate" && view !== "closed";
    this.composer.element.parentElement.hidden = view !== "messages";
    this.#drawHints();
    if (view === "gate") return this.#drawGate(guild, channel, messageId);
    if (view === "closed") return this.#drawClosed(channel);
    if (view === "forum") return this.forum.open(channel, guild);
    this.composer.open(channel, guild);
    this.commandIndex.load(guild.id);
    await this.messages.open(channel, guild, messageId);
    // having been led to a message, one is not led there again by a reconnect
    if (messageId && channel === this.#channel) history.replaceState(null, "", `/#/${guild.id}/${channel.id}`);
    if (!messageId && !NARROW.matches && !document.querySelector(".veil, .lightbox")) this.composer.focus();
  }

  #showNoChannel(guild) {
    this.#guild = guild;
    this.#channel = null;
    this.store.openChannel = null;
    this.element.dataset.view = "none";
    this.sidebar.show(guild, null);
    this.members.show(guild, null);
    replace(this.header, this.#menuButton());
    this.gate.hidden = false;
    this.messages.element.hidden = true;
    this.forum.element.hidden = true;
    this.composer.element.parentElement.hidden = true;
    replace(this.gate, magpie(64), h("h2", {}, "Nothing to see here"),
      h("p", {}, guild ? "There is no channel that you can see in this server." : "You are in no server of this world."),
      h("button.action.primary", { type: "button", onclick: this.context.switchPerson }, "Be somebody else"));
  }

  /** A voice channel that one sees but may not join. */
  #drawClosed(channel) {
    replace(this.gate, h("span.gate-icon", {}, icon("lock")), h("h2", {}, `${channel.name} is closed to you`),
      h("p", {}, "You see this voice channel, but may not connect to it; what is written in it stays with those who may."));
  }

  #drawGate(guild, channel, messageId) {
    const agree = () => {
      sessionStorage.setItem(ADULT + (guild.threads.has(channel.id) ? channel.parent_id : channel.id), "yes");
      this.#show(guild, channel, messageId);
    };
    replace(this.gate, h("span.gate-icon", {}, icon("adult")), h("h2", {}, "This channel is age-restricted"),
      h("p", {}, `#${channel.name} may hold pictures that are not for everyone. You have to be of age to look.`),
      h("div.dialog-actions", {},
        h("button.action.secondary", { type: "button", onclick: () => this.#goFirst(guild) }, "Take me back"),
        h("button.action.danger", { type: "button", onclick: agree }, "I am of age, open it")));
  }

  #guildsChanged() {
    this.element.classList.remove("starting");
    this.welcome.remove();
    const before = this.#guild;
    this.#guild = this.store.guilds.get(before?.id) ?? null;
    // a new name or icon leaves the reader where they are; a new connection loads afresh
    if (this.#guild && this.#guild === before) this.#refreshPlace();
    else this.#followAddress();
  }

  #refreshPlace() {
    const fresh = this.#channel && this.store.channel(this.#channel.id);
    if (!fresh) return;
    this.#channel = fresh;
    this.#drawHeader();
    this.members.show(this.#guild, fresh);
    if (this.element.dataset.view === "messages") this.composer.open(fresh, this.#guild);
    if (this.element.dataset.view !== this.#viewOf(fresh)) this.#show(this.#guild, fresh, null);
  }

  #channelGone() {
    toast("This channel is gone, or you may no longer see it.");
    this.#channel = null;
    this.#stayOrGoFirst();
  }

  // ---- the frame

  #menuButton() {
    return h("button.round.nav-toggle", { type: "button", "aria-label": "Channels", onclick: () => this.element.classList.toggle("nav-open") }, icon("menu"));
  }

  #drawHeader() {
    const channel = this.#channel;
    const parent = channel.type >= 10 && channel.type <= 12 ? this.#guild.channels.get(channel.parent_id) : null;
    const toggle = (name, label, run) => h("button.round", { type: "button", "aria-label": label, title: label, onclick: run }, icon(name));
    replace(this.header, this.#menuButton(), channelIcon(channel, this.#guild),
      h("h1", {}, parent && h("button.plain.parent", { type: "button", onclick: () => this.go({ guildId: this.#guild.id, channelId: parent.id, messageId: null }) }, `${parent.name} ›`), channel.name),
      channel.topic && h("p.topic", { title: channel.topic }, channel.topic),
      h("span.spacer"),
      toggle("bulb", "Things to try", () => this.#toggleHints()),
      toggle("people", "Members", () => this.element.classList.toggle("with-members")));
  }

  /** On a small screen channels and members lie over the chat; touching it puts them away. */
  #closeDrawers() {
    this.element.classList.remove("nav-open");
    if (!ROOMY.matches) this.element.classList.remove("with-members");
  }

  #drawTitle() {
    const mentions = [...this.store.unread.values()].reduce((sum, count) => sum + count, 0);
    document.title = `${mentions ? `(${mentions}) ` : ""}${this.#channel ? `#${this.#channel.name} · ` : ""}${displayName(this.store.me)} · Magpie`;
  }

  #drawTyping() {
    const names = this.store.typing(this.#channel.id).map((id) => {
      const member = this.store.member(this.#guild.id, id);
      return member ? displayName(member.user, member) : "Somebody";
    });
    const words = names.length > 3 ? "Several people are typing…" : names.length ? `${listed(names)} ${names.length > 1 ? "are" : "is"} typing…` : "";
    replace(this.typing, ...(words ? [h("span.dots", { "aria-hidden": "true" }, h("i"), h("i"), h("i")), words] : []));
  }

  #connection(state) {
    clearTimeout(this.#bannerTimer);
    if (state === "ready") {
      this.banner.hidden = true;
    } else if (state === "refused") {
      this.leave();
      toast("The sandbox does not know this person any more.", "problem");
    } else if (state === "waiting") {
      this.#bannerTimer = setTimeout(() => {
        this.banner.hidden = false;
        this.banner.textContent = "The connection is lost. Trying again…";
      }, BANNER_AFTER_MS);
    }
  }

  #drawHints(force = false) {
    const want = force || (hintsWanted() && this.element.dataset.view === "messages");
    if (!want) return replace(this.hints);
    if (this.hints.firstChild) return;
    replace(this.hints, hintsPanel({
      fill: (text) => this.composer.fill(text),
      pointAtPicture: () => this.#withPicture((message, tile) => {
        const box = tile.getBoundingClientRect();
        const place = { type: "contextmenu", clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, button: 2, target: tile, preventDefault() {} };
        openMessageMenu(place, message, this.messages.context);
      }),
      reply: () => this.#withPicture((message) => {
        this.composer.replyTo(message);
        this.composer.fill("@Magpie ");
      }),
      close: () => replace(this.hints),
    }));
  }

  #toggleHints() {
    if (this.hints.firstChild) replace(this.hints);
    else this.#drawHints(true);
  }

  /** The latest picture in the open channel, for the hints that need one. */
  #withPicture(use) {
    const tiles = [...this.messages.list.querySelectorAll(".message:not(.ephemeral) .tile[data-key]")];
    const tile = tiles.at(-1);
    const message = tile && this.store.timeline(this.#channel.id).get(tile.closest(".message").dataset.id);
    if (!message) return toast("There is no picture in this channel: try another one.");
    tile.scrollIntoView({ block: "center" });
    requestAnimationFrame(() => use(message, tile));
  }

  // ---- messages

  #listenToMessages() {
    const { list } = this.messages;
    const messageOf = (target) => {
      const row = target.closest?.(".message[data-id]");
      const timeline = this.store.timeline(this.#channel.id);
      return row && { row, message: timeline.get(row.dataset.id) };
    };
    const showToolbar = ({ target }) => {
      const found = messageOf(target);
      if (!found?.message || found.row.querySelector(".toolbar") || found.row.querySelector(".editor")) return;
      list.querySelector(".toolbar")?.remove();
      found.row.append(toolbar(found.message, this.messages.context));
    };
    list.addEventListener("pointerover", showToolbar);
    list.addEventListener("focusin", showToolbar);
    list.addEventListener("contextmenu", (event) => {
      const found = messageOf(event.target);
      if (found?.message && !event.target.closest("textarea, a[target=_blank]")) openMessageMenu(event, found.message, this.messages.context);
    });
  }

  async #send(channelId, payload, files, replied) {
    const timeline = this.store.timeline(channelId);
    const entry = {
      id: payload.nonce, nonce: payload.nonce, channel_id: channelId, author: this.store.me, content: payload.content,
      type: replied ? 19 : 0, referenced_message: replied, attachments: [], embeds: [], sending: true, uploading: files.length,
      again: () => this.#send(channelId, payload, files, replied),
    };
    timeline.local = [...timeline.local.filter((local) => local.nonce !== entry.nonce), entry];
    if (channelId === this.#channel.id) this.messages.follow();
    this.store.emit("timeline", channelId);
    try {
      const message = await this.api.upload(`/channels/${channelId}/messages`, payload, files);
      timeline.create({ ...message, nonce: payload.nonce });
    } catch (error) {
      timeline.local = timeline.local.map((local) => (local === entry ? { ...entry, sending: false, uploading: 0, failed: error.message } : local));
    }
    this.store.emit("timeline", channelId);
  }

  #retry(message) {
    message.again();
  }

  /** Take away what only this person sees: a private answer, or a message that was not posted. */
  #forget(message) {
    this.store.timeline(message.channel_id).remove([message.id]);
    this.store.emit("timeline", message.channel_id);
  }

  async #toggleReaction(message, { emoji, me }) {
    const name = encodeURIComponent(emoji.id ? `${emoji.name}:${emoji.id}` : emoji.name);
    const path = `/channels/${message.channel_id}/messages/${message.id}/reactions/${name}/@me`;
    try {
      await (me ? this.api.delete(path) : this.api.put(path));
    } catch (error) {
      toast(error.status === 404 || error.status === 405 ? "This sandbox keeps no reactions." : error.message, "problem");
    }
  }

  #openModal(modal) {
    const place = { guildId: this.#guild.id, channelId: modal.channel_id ?? this.#channel.id };
    openModal(modal, (components) => this.interactions.submit(modal, components, place), this.messages.context);
  }

  #createChannel(guild, parentId) {
    const name = h("input", { maxlength: 100, placeholder: "new-channel", "aria-label": "Name" });
    const type = h("select", { "aria-label": "Kind" }, h("option", { value: CHANNEL.text }, "Text channel"),
      h("option", { value: CHANNEL.forum }, "Forum"), h("option", { value: CHANNEL.voice }, "Voice channel"), h("option", { value: CHANNEL.category }, "Category"));
    const field = (label, input) => h("label.field", {}, h("span", {}, label), input);
    const dialog = openDialog({ title: "Create channel", body: [field("Kind", type), field("Name", name)], actions: [
      { label: "Cancel", run: (close) => close() },
      { label: "Create", style: "primary", run: () => attempt(dialog, async () => {
        if (!name.value.trim()) throw new Error("A channel needs a name.");
        const kind = Number(type.value);
        const parent = kind === CHANNEL.category ? null : parentId;
        await this.api.post(`/guilds/${guild.id}/channels`, { name: name.value.trim(), type: kind, parent_id: parent });
      }) }] });
    name.focus();
  }

  // ---- keys and drops

  #key(event) {
    if (event.defaultPrevented) return;
    const typing = event.target.closest?.("input, textarea, select");
    if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      this.#neighbour(event.key === "ArrowUp" ? -1 : 1);
    } else if (event.key === "Escape" && !typing) {
      this.composer.focus();
    } else if (!typing && event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey && !document.querySelector(".veil, .lightbox, .menu")) {
      this.composer.focus(); // whoever just types, means the message
    }
  }

  #neighbour(step) {
    const links = [...this.sidebar.channels.querySelectorAll("a.channel")];
    const at = links.findIndex((link) => link.dataset.channelId === this.#channel?.id);
    links[(at + step + links.length) % links.length]?.click();
  }

  #listenToDrops() {
    let depth = 0; // dragenter and dragleave come for every child
    const withFiles = (event) => event.dataTransfer?.types.includes("Files") && this.element.dataset.view === "messages";
    const over = (by) => {
      depth = Math.max(0, depth + by);
      this.dropVeil.hidden = depth === 0;
    };
    this.column.addEventListener("dragenter", (event) => withFiles(event) && over(1));
    this.column.addEventListener("dragleave", (event) => withFiles(event) && over(-1));
    this.column.addEventListener("dragover", (event) => withFiles(event) && event.preventDefault());
    this.column.addEventListener("drop", (event) => {
      if (!withFiles(event)) return;
      event.preventDefault();
      over(-depth);
      this.composer.takeFiles([...event.dataTransfer.files]);
    });
  }
}

/** Members as choices of a user option. */
function memberChoices(guild) {
  return [...guild.members.values()].map((member) => ({
    label: `@${displayName(member.user, member)}`, value: member.user.id, detail: member.user.username, face: () => avatar(member.user, 24),
  }));
}

const listed = (names) => (names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`);
