/**
 * The messages of the open channel: it loads them in both directions, keeps the scroll position, follows new ones.
 *
 * The list is drawn by comparing keys: a row with the same message object and place is kept.
 */

import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { dots, drawMessage, MESSAGE } from "./message.js";
import { isThread } from "./permissions.js";
import { compareIds, timeOf } from "./snowflake.js";
import { formatDay, isSameDay } from "./time.js";
import { isEphemeral, PAGE_SIZE } from "./timeline.js";
import { toast } from "./toast.js";

/**
 * A row to be shown; `mark` has everything that it depends on besides its message.
 * @typedef {{ key: string, mark: string, message?: Message | Notice, draw(): HTMLElement }} Plan
 */

const GROUP_MS = 7 * 60_000; // messages of one author within this time are under one name
const NEAR_EDGE_PX = 700; // the next page is loaded this far before the edge
const AT_BOTTOM_PX = 60;
const ANSWER_MARGIN_PX = 8;
const FLASH_MS = 2_200;

export class MessageList {
  /** @type {Channel} */
  #channel = /** @type {any} */ (null); // until open()
  /** @type {Map<string, { element: HTMLElement, message?: Message | Notice, mark: string }>} */
  #rows = new Map(); // by key
  #loading = false;
  #atBottom = true;
  #opened = 0; // number of the opening; an answer for an earlier one is dropped

  /**
   * context: shared parts of the App, to which functions for messages are added
   * @param {Context} context
   */
  constructor(context) {
    /** @type {MessageContext} */
    this.context = {
      ...context,
      guild: /** @type {any} */ (null), // until open()
      channel: /** @type {any} */ (null),
      editing: null,
      saveEdit: (message, text) => this.#saveEdit(message, text),
      cancelEdit: () => this.#edit(null),
    };
    this.list = h("ol.messages");
    this.start = h("header.channel-start");
    this.column = h(
      "div.message-column",
      { role: "log", "aria-live": "polite", "aria-relevant": "additions" },
      this.start,
      this.list,
    );
    this.scroller = h("div.scroller", { tabindex: "0", "aria-label": "Messages" }, this.column);
    this.present = h(
      "button.to-present",
      { type: "button", hidden: true, onclick: () => this.#toPresent() },
      "Jump to the latest",
      icon("bottom"),
    );
    this.element = h("section.timeline", {}, this.scroller, this.present);
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.scroller.addEventListener("keydown", (event) => this.#key(event));
    const resized = new ResizeObserver(() => this.#atBottom && this.#rest());
    resized.observe(this.column);
    resized.observe(this.scroller);
    context.store.on("timeline", (id) => id === this.#channel?.id && this.draw(), context.signal);
    context.interactions.on("changed", (id) => id === this.#channel?.id && this.draw(), context.signal);
  }

  get #timeline() {
    return this.context.store.timeline(this.#channel.id);
  }

  /**
   * Show a channel, at `messageId` when given, else at its end.
   * @param {Channel} channel
   * @param {Guild} guild
   * @param {string | null} [messageId]
   */
  async open(channel, guild, messageId = null) {
    const other = this.#channel?.id !== channel.id;
    this.#channel = channel;
    Object.assign(this.context, { channel, guild, editing: null });
    const opened = (this.#opened += 1);
    if (other) this.#clear();
    const timeline = this.#timeline;
    const known = timeline.loaded && !timeline.stale;
    if (messageId ? !(known && timeline.has(messageId)) : !(known && timeline.reachesNewest)) {
      if (other) this.#showSkeleton(opened);
      try {
        await (messageId ? this.#loadAround(messageId) : this.#loadLatest());
      } catch (error) {
        return (
          opened === this.#opened && this.#showProblem(error, () => this.open(channel, guild, messageId))
        );
      }
      if (opened !== this.#opened) return;
    }
    this.#atBottom = !messageId;
    this.scroller.scrollTop = 0;
    this.draw();
    if (messageId) this.#reveal(messageId);
    this.#fillEdges();
  }

  /** Draw the timeline as it is now. With `all`, all rows are drawn again, because names or colours changed. */
  draw(all = false) {
    if (!this.#channel || !this.#timeline.loaded) return;
    if (all) this.#rows = new Map([...this.#rows].filter(([key]) => key === this.context.editing));
    const rows = this.#plan();
    const anchor = this.#atBottom ? null : this.#anchor();
    const kept = new Map();
    for (const row of rows) kept.set(row.key, this.#rowFor(row));
    this.#rows = kept;
    arrange(
      this.list,
      [...kept.values()].map((row) => row.element),
    );
    this.#drawStart();
    if (anchor) this.#restore(anchor);
    else this.#rest();
    this.#showPresent();
  }

  /**
   * A message of the open channel by its id.
   * @param {string} id
   */
  find(id) {
    return this.#timeline.get(id);
  }

  /** Begin to edit the person's own latest message. */
  editLast() {
    const mine = this.#timeline.messages.filter(
      (message) =>
        message.author.id === this.context.store.me.id &&
        [MESSAGE.plain, MESSAGE.reply].includes(message.type),
    );
    const last = mine.at(-1);
    if (last) this.edit(last);
  }

  /** @param {Message} message */
  edit(message) {
    this.#edit(message.id);
  }

  /** Go to the end and stay there, because this person posted something. */
  follow() {
    if (!this.#timeline.reachesNewest) this.#toPresent();
    this.#atBottom = true;
  }

  // ---- loading

  /** @param {Record<string, any>} query */
  async #fetch(query) {
    /** @type {Message[]} */
    const page = await this.context.api.get(`/channels/${this.#channel.id}/messages`, {
      limit: PAGE_SIZE,
      ...query,
    });
    return page.reverse();
  }

  async #loadLatest() {
    const timeline = this.#timeline;
    const page = await this.#fetch({});
    timeline.replace(page, { reachesOldest: page.length < PAGE_SIZE, reachesNewest: true });
  }

  /** @param {string} messageId */
  async #loadAround(messageId) {
    const timeline = this.#timeline;
    const page = await this.#fetch({ around: messageId });
    const newest = this.#channel.last_message_id;
    const reachesNewest = !newest || page.some((message) => compareIds(message.id, newest) >= 0);
    timeline.replace(page, { reachesOldest: false, reachesNewest });
  }

  /** @param {boolean} newer */
  async #loadMore(newer) {
    const timeline = this.#timeline;
    const edge = timeline.edge(newer);
    if (this.#loading || !edge) return;
    this.#loading = true;
    this.column.setAttribute("aria-busy", "true");
    this.element.classList.add(newer ? "loading-newer" : "loading-older");
    try {
      const page = await this.#fetch(newer ? { after: edge } : { before: edge });
      const end = page.length < PAGE_SIZE;
      if (newer) timeline.append(page, end);
      else timeline.prepend(page, end);
      if (timeline === this.#timeline) this.draw();
    } catch (error) {
      toast(error.message, "problem");
    } finally {
      this.#loading = false;
      this.column.removeAttribute("aria-busy");
      this.element.classList.remove("loading-newer", "loading-older");
    }
    if (timeline === this.#timeline) requestAnimationFrame(() => this.#fillEdges());
  }

  #fillEdges() {
    if (!this.#channel || !this.#timeline.loaded || this.#loading) return;
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    if (!this.#timeline.reachesOldest && scrollTop < NEAR_EDGE_PX) this.#loadMore(false);
    else if (!this.#timeline.reachesNewest && scrollHeight - clientHeight - scrollTop < NEAR_EDGE_PX)
      this.#loadMore(true);
  }

  // ---- rows

  /** The rows of the list: [{key, mark, message?, draw()}]. */
  #plan() {
    /** @type {Plan[]} */
    const rows = [];
    /** @type {Message | null} */
    let before = null;
    const timeline = this.#timeline;
    for (const message of [...timeline.messages, ...timeline.local]) {
      const moment = timeOf(message.id);
      const newDay = !before || !isSameDay(timeOf(before.id), moment);
      if (newDay)
        rows.push({ key: `day-${moment.toDateString()}`, mark: "", draw: () => divider(formatDay(moment)) });
      const grouped = !newDay && before !== null && belongsTogether(before, message);
      const editing = this.context.editing === message.id;
      rows.push({
        key: message.nonce && timeline.local.includes(message) ? `local-${message.nonce}` : message.id,
        message,
        mark: `${grouped}${editing}`,
        draw: () => drawMessage(message, grouped, this.context),
      });
      before = message;
    }
    for (const notice of this.context.interactions.notices) {
      if (notice.channelId === this.#channel.id)
        rows.push({
          key: `notice-${notice.nonce}`,
          message: notice,
          mark: "",
          draw: () => this.#notice(notice),
        });
    }
    return rows;
  }

  /** @param {Plan} row */
  #rowFor(row) {
    const known = this.#rows.get(row.key);
    const same = known && known.mark === row.mark;
    // text in an edit field is kept when the message is drawn again
    if (same && (known.message === row.message || this.context.editing === row.key)) return known;
    return { element: row.draw(), message: row.message, mark: row.mark };
  }

  /** @param {Notice} notice */
  #notice({ nonce, label, failure }) {
    const dismiss = h(
      "button.plain",
      { type: "button", onclick: () => this.context.interactions.dismiss(nonce) },
      "Dismiss",
    );
    return h(
      "li.message.notice",
      { class: failure ? "failed" : "", tabindex: "-1" },
      h("p.command-used", {}, label),
      failure
        ? h("p.footnote.problem", { role: "alert" }, icon("warning"), failure, " · ", dismiss)
        : h("p.thinking", {}, dots(), "Sending…"),
    );
  }

  #drawStart() {
    this.start.hidden = !this.#timeline.reachesOldest;
    if (this.start.hidden || this.start.dataset.channel === this.#channel.id) return;
    this.start.dataset.channel = this.#channel.id;
    const thread = isThread(this.#channel);
    replace(
      this.start,
      h("span.start-icon", {}, icon(thread ? "thread" : "hash")),
      h("h2", {}, thread ? this.#channel.name : `#${this.#channel.name}`),
      h(
        "p",
        {},
        this.#timeline.messages.length
          ? "This is where it begins."
          : "Nothing has been posted here yet. Be the first!",
      ),
      this.#channel.topic && h("p.topic", {}, this.#channel.topic),
    );
  }

  #clear() {
    this.#rows.clear();
    replace(this.list);
    this.column.setAttribute("aria-label", `Messages in ${this.#channel.name}`);
    this.start.hidden = true;
    delete this.start.dataset.channel;
    this.present.hidden = true;
  }

  /**
   * Show grey shapes, but only when loading takes long enough to be noticed.
   * @param {number} opened
   */
  #showSkeleton(opened) {
    setTimeout(() => {
      if (opened !== this.#opened || this.#timeline.loaded) return;
      const shapes = Array.from({ length: 8 }, (_, index) =>
        h(
          "li.skeleton",
          { style: { "--w": `${35 + ((index * 37) % 50)}%` }, "aria-hidden": "true" },
          h("i"),
          h("span", {}, h("b"), h("b")),
        ),
      );
      replace(this.list, ...shapes);
    }, 160);
  }

  /**
   * @param {any} error
   * @param {() => void} again
   */
  #showProblem(error, again) {
    replace(
      this.list,
      h(
        "li.empty-state",
        {},
        icon("warning"),
        h("p", {}, error.message),
        h("button.action.secondary", { type: "button", onclick: again }, "Try again"),
      ),
    );
  }

  // ---- scrolling

  #scrolled() {
    this.#atBottom =
      this.#timeline.reachesNewest && this.#restPosition() - this.scroller.scrollTop < AT_BOTTOM_PX;
    if (this.#atBottom) this.context.store.markRead(this.#channel.id);
    this.#showPresent();
    this.#fillEdges();
  }

  /** The scroll position at the end: the bottom, but not below the beginning of a tall answer. */
  #restPosition() {
    const { scroller, list } = this;
    const bottom = scroller.scrollHeight - scroller.clientHeight;
    const last = list.lastElementChild;
    if (!last?.matches(".answer")) return bottom;
    const top = last.getBoundingClientRect().top - scroller.getBoundingClientRect().top + scroller.scrollTop;
    return Math.min(bottom, top - ANSWER_MARGIN_PX);
  }

  #rest() {
    this.scroller.scrollTop = Math.max(this.scroller.scrollTop, this.#restPosition());
  }

  async #toPresent() {
    if (!this.#timeline.reachesNewest) this.#timeline.stale = true;
    await this.open(this.#channel, this.context.guild);
  }

  #showPresent() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const far = scrollHeight - clientHeight - scrollTop > clientHeight * 1.5;
    this.present.hidden = this.#timeline.reachesNewest && !far;
  }

  /** The first visible row and its position, to restore it after rows above were added or removed. */
  #anchor() {
    const top = this.scroller.getBoundingClientRect().top;
    for (const [key, { element }] of this.#rows) {
      const box = element.getBoundingClientRect();
      if (box.bottom > top && box.height) return { key, top: box.top };
    }
    return null;
  }

  /** @param {{ key: string, top: number }} anchor */
  #restore({ key, top }) {
    const element = this.#rows.get(key)?.element;
    if (element) this.scroller.scrollTop += element.getBoundingClientRect().top - top;
  }

  /** @param {string} messageId */
  #reveal(messageId) {
    const element = this.#rows.get(messageId)?.element;
    if (!element) return toast("That message is gone.", "problem");
    element.scrollIntoView({ block: "center" });
    element.classList.add("flash");
    element.focus({ preventScroll: true });
    setTimeout(() => element.classList.remove("flash"), FLASH_MS);
  }

  // ---- keys and edits

  /**
   * Arrow keys move between messages when one has the focus.
   * @param {KeyboardEvent} event
   */
  #key(event) {
    const step = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
    /** @type {NodeListOf<HTMLElement>} */
    const found = this.list.querySelectorAll(".message");
    const messages = [...found];
    const at = messages.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (!step || event.altKey || (at < 0 && event.target !== this.scroller)) return;
    event.preventDefault();
    const next = at < 0 ? messages.at(-1) : messages[at + step];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }

  /** @param {string | null} messageId */
  #edit(messageId) {
    this.context.editing = messageId;
    this.draw();
    if (!messageId) this.context.focusComposer();
  }

  /**
   * @param {Message} message
   * @param {string} text
   */
  async #saveEdit(message, text) {
    if (text === message.content) return this.#edit(null);
    if (!text && !message.attachments?.length)
      return toast("An empty message cannot be saved; delete it instead.", "problem");
    try {
      await this.context.api.patch(`/channels/${message.channel_id}/messages/${message.id}`, {
        content: text,
      });
      this.#edit(null);
    } catch (error) {
      toast(error.message, "problem");
    }
  }
}

/** @param {string} text */
const divider = (text) => h("li.divider", { role: "separator" }, h("span", {}, text));

/**
 * @param {Message} before
 * @param {Message} message
 */
function belongsTogether(before, message) {
  const close = timeOf(message.id).getTime() - timeOf(before.id).getTime() < GROUP_MS;
  const alike = before.author.id === message.author.id && isEphemeral(before) === isEphemeral(message);
  const answers = message.type === MESSAGE.reply || message.interaction_metadata || message.interaction;
  const system = ![MESSAGE.plain, MESSAGE.reply, MESSAGE.command, MESSAGE.menu].includes(before.type ?? 0);
  return close && alike && !answers && !system;
}

/**
 * Make `elements` the children of `parent`, and move only those that are out of place.
 * @param {HTMLElement} parent
 * @param {HTMLElement[]} elements
 */
function arrange(parent, elements) {
  /** @type {Set<Element>} */
  const wanted = new Set(elements);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  elements.forEach((element, index) => {
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index] ?? null);
  });
}
