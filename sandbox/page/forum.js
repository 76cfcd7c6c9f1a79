/** A forum channel: its posts as cards, and a form for a new one. */

import { isPicture, isSpoiler } from "./attachments.js";
import { attempt, openDialog } from "./dialog.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { local } from "./media.js";
import { summary } from "./message.js";
import { avatar, displayName } from "./people.js";
import { timeOf } from "./snowflake.js";
import { formatRelative } from "./time.js";
import { Uploads } from "./uploads.js";

const MAX_PREVIEWS = 30; // posts with a preview; each preview is a request

export class Forum {
  /** @type {Guild} */
  guild = /** @type {any} */ (null); // until open()
  /** @type {Channel} */
  channel = /** @type {any} */ (null); // until open()
  /** @type {Map<string, Message | null>} */
  #starters = new Map(); // post id -> its first message, or null when it was deleted

  /**
   * context: {store, api, go, signal}
   * @param {Context} context
   */
  constructor(context) {
    this.context = context;
    this.element = h("section.forum", { hidden: true });
    context.store.on(
      "channels",
      (guildId) => !this.element.hidden && guildId === this.guild?.id && this.draw(),
      context.signal,
    );
  }

  /**
   * @param {Channel} channel
   * @param {Guild} guild
   */
  async open(channel, guild) {
    Object.assign(this, { channel, guild });
    this.draw();
    try {
      const { threads } = await this.context.api.get(`/channels/${channel.id}/threads/archived/public`, {
        limit: 50,
      });
      this.context.store.keepThreads(guild.id, threads);
      if (this.channel === channel) this.draw();
    } catch (error) {
      if (error.status !== 403 && error.status !== 404) throw error; // archived posts are optional
    }
    await this.#loadStarters(channel);
  }

  /**
   * Load the posts' first messages, for the text and the picture on their cards.
   * @param {Channel} channel
   */
  async #loadStarters(channel) {
    const unknown = this.context.store
      .threads(channel, { archived: true })
      .filter((post) => !this.#starters.has(post.id));
    await Promise.all(
      unknown.slice(0, MAX_PREVIEWS).map(async (post) => {
        /** @type {Message[]} */
        const page = await this.context.api
          .get(`/channels/${post.id}/messages`, { around: post.id, limit: 1 })
          .catch(() => []);
        this.#starters.set(post.id, page.find((message) => message.id === post.id) ?? null);
      }),
    );
    if (unknown.length && this.channel === channel) this.draw();
  }

  draw() {
    const posts = this.context.store.threads(this.channel, { archived: true });
    replace(
      this.element,
      h(
        "div.forum-inner",
        {},
        h(
          "header",
          {},
          h("p", {}, this.channel.topic || "Posts, the latest first."),
          this.context.store.canSend(this.channel) &&
            h(
              "button.action.primary",
              { type: "button", onclick: () => this.#compose() },
              icon("plus"),
              "New post",
            ),
        ),
        posts.length
          ? h(
              "ul.posts",
              {},
              posts.map((post) => this.#card(post)),
            )
          : h("div.empty-state", {}, icon("forum"), h("p", {}, "No posts yet.")),
      ),
    );
  }

  /** @param {Channel} post */
  #card(post) {
    const { store, go } = this.context;
    const owner = store.member(this.guild.id, post.owner_id);
    const count = post.message_count ?? 0;
    const starter = this.#starters.get(post.id);
    const picture = starter?.attachments.find((file) => isPicture(file) && !isSpoiler(file));
    const open = () => go({ guildId: this.guild.id, channelId: post.id, messageId: null });
    return h(
      "li",
      {},
      h(
        "button.post",
        { type: "button", onclick: open },
        h("b", {}, post.name, post.thread_metadata?.archived && h("i.faint", {}, "archived")),
        starter && h("p", {}, summary(starter)),
        picture && h("img", { src: local(picture.url), alt: "", loading: "lazy" }),
        h(
          "span",
          {},
          owner && avatar(owner.user, 20),
          owner ? displayName(owner.user, owner) : "Somebody",
          ` · ${formatRelative(timeOf(post.last_message_id ?? post.id))} · ${count ? `${count} ${count === 1 ? "reply" : "replies"}` : "no replies yet"}`,
        ),
      ),
    );
  }

  #compose() {
    const title = h("input", { maxlength: 100, placeholder: "Title", "aria-label": "Title" });
    const text = h("textarea", { rows: 4, placeholder: "What is it about?", "aria-label": "Text" });
    const uploads = new Uploads(() => {});
    const picker = h("input", {
      type: "file",
      accept: "image/*",
      multiple: true,
      "aria-label": "Pictures",
      onchange: () => {
        uploads.add([...(picker.files ?? [])]);
        picker.value = "";
      },
    });
    const dialog = openDialog({
      title: `New post in #${this.channel.name}`,
      body: [title, text, picker, uploads.element],
      actions: [
        { label: "Cancel", run: (close) => close() },
        { label: "Post", style: "primary", run: () => this.#post(dialog, title, text, uploads) },
      ],
    });
  }

  /**
   * @param {Dialog} dialog
   * @param {HTMLInputElement} title
   * @param {HTMLTextAreaElement} text
   * @param {Uploads} uploads
   */
  #post(dialog, title, text, uploads) {
    if (!title.value.trim()) return dialog.say("A post needs a title.");
    if (!text.value.trim() && !uploads.size) return dialog.say("A post needs some text or a picture.");
    attempt(dialog, async () => {
      const files = uploads.take();
      const message = {
        content: text.value.trim(),
        attachments: files.map((file, index) => ({ id: String(index), filename: file.name })),
      };
      const thread = await this.context.api.upload(
        `/channels/${this.channel.id}/threads`,
        { name: title.value.trim(), auto_archive_duration: 1440, message },
        files,
      );
      this.context.store.apply("THREAD_CREATE", { ...thread, guild_id: this.guild.id });
      this.context.go({ guildId: this.guild.id, channelId: thread.id, messageId: null });
    });
  }
}
