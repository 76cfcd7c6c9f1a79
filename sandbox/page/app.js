/**
 * One person's client: it connects the gateway, the store and the views, and knows which channel is open.
 * The address after "#" names the channel: #/server/channel/message.
 */

import { Api } from "./api.js";
import { openChannelMenu } from "./channelmenu.js";
import { CommandIndex } from "./commandindex.js";
import { Composer } from "./composer.js";
import { h, replace } from "./dom.js";
import { watchDrops } from "./drops.js";
import { Forum } from "./forum.js";
import { Gateway } from "./gateway.js";
import { ageGate, closedGate, emptyGate, hasAgreed } from "./gates.js";
import { Hints } from "./hints.js";
import { icon, magpie } from "./icons.js";
import { Interactions } from "./interactions.js";
import { MemberPanel } from "./members.js";
import { closeMenu } from "./menu.js";
import { dots } from "./message.js";
import { openMessageMenu, toolbar } from "./messagemenu.js";
import { MessageList } from "./messagelist.js";
import { openModal } from "./modal.js";
import { Outbox } from "./outbox.js";
import { displayName, memberChoices } from "./people.js";
import { isThread } from "./permissions.js";
import { channelIcon, Sidebar } from "./sidebar.js";
import { CHANNEL, isForum, Store } from "./store.js";
import { openSwitcher } from "./switcher.js";
import { cycleTheme } from "./theme.js";
import { toast } from "./toast.js";
import { Unlisted } from "./unlisted.js";

const BANNER_AFTER_MS = 600; // a quicker reconnect shows no banner
const MAX_TYPING_NAMED = 3;
const NARROW = window.matchMedia("(max-width: 720px)");
const ROOMY = window.matchMedia("(min-width: 1180px)"); // wide enough for the members beside the chat

/** Stands for the open guild and channel while none is open. Nothing that needs them is called then. */
const NOWHERE = /** @type {any} */ (null);

export class App {
  /** @type {Guild} */
  #guild = NOWHERE;
  /** @type {Channel} */
  #channel = NOWHERE;
  #controller = new AbortController();
  /** @type {number | undefined} */
  #bannerTimer;

  /** @type {Sidebar} */
  sidebar;
  /** @type {MessageList} */
  messages;
  /** @type {Composer} */
  composer;
  /** @type {MemberPanel} */
  members;
  /** @type {Forum} */
  forum;
  /** @type {Hints} */
  hints;
  /** @type {HTMLElement} */
  header;
  /** @type {HTMLElement} */
  banner;
  /** @type {HTMLElement} */
  gate;
  /** @type {HTMLElement} */
  typing;
  /** @type {HTMLElement} */
  column;
  /** @type {HTMLElement} */
  welcome;
  /** @type {HTMLElement} */
  element;

  /**
   * person: {user, token, …} from /sandbox/people. become(person) and leave() change the person of this tab.
   * @param {{ person: Person, people: Person[], become: (person: Person) => void, leave: () => void }} options
   */
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
    this.unlisted = new Unlisted(this.api, this.store);
    this.outbox = new Outbox(this);
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

  /**
   * What all views share: the parts, and functions of the App.
   * @returns {Context}
   */
  #sharedContext() {
    const { store, api, interactions, commandIndex, unlisted } = this;
    return {
      store,
      api,
      interactions,
      commandIndex,
      unlisted,
      messages: NOWHERE, // until #buildViews
      signal: this.#controller.signal,
      go: (target) => this.go(target),
      goGuild: (guild) => this.#goFirst(guild),
      run: (text) => this.composer.fill(text),
      press: (message, component, values) =>
        interactions.press(message, component, values, {
          guildId: this.#guild.id,
          channelId: message.channel_id,
        }),
      people: memberChoices,
      faceOf: (application) =>
        store.member(this.#guild.id, application.bot?.id ?? application.id)?.user ?? {
          id: application.id,
          username: application.name,
        },
      reply: (message) => this.composer.replyTo(message),
      edit: (message) => this.messages.edit(message),
      dismiss: (message) => this.outbox.forget(message),
      toggleReaction: (message, reaction) => this.outbox.toggleReaction(message, reaction),
      vote: (message, answers) => this.outbox.vote(message, answers),
      focusComposer: () => this.composer.focus(),
      send: (channelId, payload, files, replied) => {
        this.messages.follow();
        this.outbox.send(channelId, payload, files, replied);
      },
      openChannelMenu: (event, channel) => openChannelMenu(event, channel, this.context),
      switchPerson: () =>
        openSwitcher({ people: this.people, me: this.store.me, become: this.become, leave: this.leave }),
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
    this.hints = new Hints(this);
    this.column = h(
      "div.chat-column",
      {},
      this.messages.element,
      this.forum.element,
      this.gate,
      this.hints.element,
      h("div.composer-place", {}, this.composer.element, this.typing),
    );
    const accepts = () => this.element.dataset.view === "messages";
    this.column.append(
      watchDrops(this.column, {
        accepts,
        take: (files) => this.composer.takeFiles(files),
      }),
    );
    this.welcome = h("div.welcome", {}, magpie(72), h("p", {}, "Flying in…"));
    this.element = h(
      "div.app.starting",
      {},
      this.sidebar.element,
      h("main.chat", {}, this.header, this.banner, h("div.chat-body", {}, this.column, this.members.element)),
      this.welcome,
    );
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
    document.addEventListener(
      "visibilitychange",
      () => !document.hidden && this.#channel && store.markRead(this.#channel.id),
      { signal },
    );
    ROOMY.addEventListener("change", () => this.element.classList.toggle("with-members", ROOMY.matches), {
      signal,
    });
    this.column.addEventListener("pointerdown", () => this.#closeDrawers(), { signal });
    window.addEventListener("online", () => gateway.open(), { signal });
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.#listenToMessages();
  }

  /**
   * @param {string} type
   * @param {any} data
   */
  #dispatch(type, data) {
    this.store.apply(type, data);
    this.interactions.apply(type, data);
    if (type === "GUILD_APPLICATION_COMMAND_INDEX_UPDATE" || type === "GUILD_APPLICATION_COMMANDS_UPDATE")
      this.commandIndex.forget();
    if (type === "USER_UPDATE") this.commandIndex.speak(this.#guild.id);
  }

  // ---- places

  /**
   * Go to {guildId, channelId, messageId}; when this person can't see it, say so.
   * @param {Target} target
   */
  go({ guildId, channelId, messageId }) {
    const address = `#/${guildId}/${channelId}${messageId ? `/${messageId}` : ""}`;
    if (location.hash === address) this.#followAddress();
    else location.hash = address;
  }

  /** @param {Guild} guild */
  #goFirst(guild) {
    const channel = this.store.firstChannel(guild);
    if (channel) this.go({ guildId: guild.id, channelId: channel.id, messageId: null });
    else this.#showNoChannel(guild);
  }

  async #followAddress() {
    const address = location.hash;
    const [, guildId, channelId, messageId] = /^#\/(\d+|@me)\/(\d+)(?:\/(\d+))?$/.exec(address) ?? [];
    const known = this.store.guilds.has(guildId) && this.store.channel(channelId);
    const channel = known || (guildId && (await this.unlisted.find(channelId)));
    if (location.hash !== address) return; // they went elsewhere meanwhile
    const guild = this.store.guilds.get(guildId);
    if (guild && channel && channel.type !== CHANNEL.category && this.store.canSee(channel))
      return this.#show(guild, channel, messageId ?? null);
    if (guildId) toast(`${displayName(this.store.me)} cannot see that channel, or it is gone.`, "problem");
    this.#stayOrGoFirst();
  }

  /** The address is invalid: keep the open channel, or open the first one. */
  #stayOrGoFirst() {
    if (this.#channel && this.store.stillVisible(this.#channel.id)) {
      history.replaceState(null, "", `#/${this.#guild.id}/${this.#channel.id}`);
      return;
    }
    const guild = this.#guild ?? [...this.store.guilds.values()][0];
    if (guild) this.#goFirst(guild);
    else this.#showNoChannel(null);
  }

  /**
   * @param {Guild} guild
   * @param {Channel} channel
   * @param {string | null} messageId
   */
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

  /** @param {Channel} channel */
  #viewOf(channel) {
    if (!this.store.canRead(channel)) return "closed";
    if (this.store.isAgeRestricted(channel) && !hasAgreed(channel)) return "age";
    return isForum(channel) ? "forum" : "messages";
  }

  /**
   * @param {Guild} guild
   * @param {Channel} channel
   * @param {string | null} messageId
   */
  async #openView(guild, channel, messageId) {
    const { view } = this.element.dataset;
    this.messages.element.hidden = view !== "messages";
    this.forum.element.hidden = view !== "forum";
    this.gate.hidden = view !== "age" && view !== "closed";
    /** @type {HTMLElement} */ (this.composer.element.parentElement).hidden = view !== "messages";
    this.hints.show(view === "messages");
    if (view === "age") {
      const agreed = () => this.#show(guild, channel, messageId);
      return replace(this.gate, ageGate(channel, { agreed, back: () => this.#goFirst(guild) }));
    }
    if (view === "closed") return replace(this.gate, closedGate(channel));
    if (view === "forum") return this.forum.open(channel, guild);
    this.composer.open(channel, guild);
    this.commandIndex.load(guild.id);
    await this.messages.open(channel, guild, messageId);
    // so that a reconnect doesn't scroll to the message again
    if (messageId && channel === this.#channel)
      history.replaceState(null, "", `/#/${guild.id}/${channel.id}`);
    if (!messageId && !NARROW.matches && !document.querySelector(".veil, .lightbox")) this.composer.focus();
  }

  /** @param {Guild | null} guild */
  #showNoChannel(guild) {
    this.#guild = guild ?? NOWHERE;
    this.#channel = NOWHERE;
    this.store.openChannel = null;
    this.element.dataset.view = "none";
    this.sidebar.show(guild, null);
    this.members.show(guild, null);
    replace(this.header, this.#menuButton());
    this.gate.hidden = false;
    this.messages.element.hidden = true;
    this.forum.element.hidden = true;
    /** @type {HTMLElement} */ (this.composer.element.parentElement).hidden = true;
    replace(this.gate, emptyGate(guild, this.context.switchPerson));
  }

  #guildsChanged() {
    this.element.classList.remove("starting");
    this.welcome.remove();
    const before = this.#guild;
    this.#guild = this.store.guilds.get(before?.id) ?? NOWHERE;
    // a new name or icon keeps the reader's place; a new connection loads everything again
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
    this.#channel = NOWHERE;
    this.#stayOrGoFirst();
  }

  // ---- the frame

  #menuButton() {
    return h(
      "button.round.nav-toggle",
      { type: "button", "aria-label": "Channels", onclick: () => this.element.classList.toggle("nav-open") },
      icon("menu"),
    );
  }

  #drawHeader() {
    const channel = this.#channel;
    const parent = isThread(channel) ? this.#guild.channels.get(channel.parent_id ?? "") : null;
    /**
     * @param {IconName} name
     * @param {string} label
     * @param {() => void} run
     */
    const toggle = (name, label, run) =>
      h("button.round", { type: "button", "aria-label": label, title: label, onclick: run }, icon(name));
    replace(
      this.header,
      this.#menuButton(),
      channelIcon(channel, this.#guild),
      h(
        "h1",
        {},
        parent &&
          h(
            "button.plain.parent",
            {
              type: "button",
              onclick: () => this.go({ guildId: this.#guild.id, channelId: parent.id, messageId: null }),
            },
            `${parent.name} ›`,
          ),
        channel.name,
      ),
      channel.topic && h("p.topic", { title: channel.topic }, channel.topic),
      h("span.spacer"),
      toggle("bulb", "Things to try", () => this.hints.toggle()),
      toggle("people", "Members", () => this.element.classList.toggle("with-members")),
    );
  }

  /** On a small screen, channels and members cover the chat; touching the chat closes them. */
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
    const words = typingWords(names);
    replace(this.typing, words && dots(), words);
  }

  /** @param {string} state */
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

  // ---- messages

  #listenToMessages() {
    const { list } = this.messages;
    /** @param {EventTarget | null} target */
    const messageOf = (target) => {
      /** @type {HTMLElement | null} */
      const row = /** @type {Element} */ (target).closest?.(".message[data-id]");
      const timeline = this.store.timeline(this.#channel.id);
      return row && { row, message: timeline.get(row.dataset.id ?? "") };
    };
    /** @param {Event} event */
    const showToolbar = ({ target }) => {
      const found = messageOf(target);
      if (!found?.message || found.row.querySelector(".toolbar") || found.row.querySelector(".editor"))
        return;
      list.querySelector(".toolbar")?.remove();
      found.row.append(toolbar(found.message, this.messages.context));
    };
    list.addEventListener("pointerover", showToolbar);
    list.addEventListener("focusin", showToolbar);
    list.addEventListener("contextmenu", (event) => {
      const found = messageOf(event.target);
      const target = /** @type {Element} */ (event.target);
      if (found?.message && !target.closest("textarea, a[target=_blank]"))
        openMessageMenu(event, found.message, this.messages.context);
    });
  }

  /** @param {Modal} modal */
  #openModal(modal) {
    const place = { guildId: this.#guild.id, channelId: modal.channel_id ?? this.#channel.id };
    openModal(
      modal,
      (components) => this.interactions.submit(modal, components, place),
      this.messages.context,
    );
  }

  // ---- keys

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.defaultPrevented) return;
    const typing = /** @type {Element} */ (event.target).closest?.("input, textarea, select");
    if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      this.#neighbour(event.key === "ArrowUp" ? -1 : 1);
    } else if (event.key === "Escape" && !typing) {
      this.composer.focus();
    } else if (
      !typing &&
      event.key.length === 1 &&
      event.key !== " " &&
      !event.ctrlKey &&
      !event.metaKey &&
      !event.altKey &&
      !document.querySelector(".veil, .lightbox, .menu")
    ) {
      this.composer.focus(); // typing without a focus goes into the message
    }
  }

  /** @param {number} step */
  #neighbour(step) {
    /** @type {NodeListOf<HTMLElement>} */
    const found = this.sidebar.channels.querySelectorAll("a.channel");
    const links = [...found];
    const at = links.findIndex((link) => link.dataset.channelId === this.#channel?.id);
    links[(at + step + links.length) % links.length]?.click();
  }
}

/** @param {string[]} names */
function typingWords(names) {
  if (names.length > MAX_TYPING_NAMED) return "Several people are typing…";
  if (!names.length) return "";
  const listed = names.length < 2 ? names[0] : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  return `${listed} ${names.length > 1 ? "are" : "is"} typing…`;
}
