/** What this person posts: it is shown at once, and confirmed or marked as failed later. Reactions too. */

import { MESSAGE } from "./message.js";
import { toast } from "./toast.js";

export class Outbox {
  /** @param {{ store: Store, api: Api }} parts */
  constructor({ store, api }) {
    this.store = store;
    this.api = api;
  }

  /**
   * Post `payload` with `files`; `replied` is the message that it replies to, or null.
   * @param {string} channelId
   * @param {MessagePayload} payload
   * @param {File[]} files
   * @param {Message | null} replied
   */
  async send(channelId, payload, files, replied) {
    const timeline = this.store.timeline(channelId);
    const entry = this.#entry(channelId, payload, files, replied);
    timeline.local = [...timeline.local.filter((local) => local.nonce !== entry.nonce), entry];
    this.store.emit("timeline", channelId);
    try {
      const message = await this.api.upload(`/channels/${channelId}/messages`, payload, files);
      timeline.create({ ...message, nonce: payload.nonce });
    } catch (error) {
      const failed = { ...entry, sending: false, uploading: 0, failed: error.message };
      timeline.local = timeline.local.map((local) => (local === entry ? failed : local));
    }
    this.store.emit("timeline", channelId);
  }

  /**
   * Remove what only this person sees: a private answer, or a message that was not posted.
   * @param {Message} message
   */
  forget(message) {
    this.store.timeline(message.channel_id).remove([message.id]);
    this.store.emit("timeline", message.channel_id);
  }

  /**
   * @param {Message} message
   * @param {Pick<Reaction, "emoji" | "me">} reaction
   */
  async toggleReaction(message, { emoji, me }) {
    const name = encodeURIComponent(emoji.id ? `${emoji.name}:${emoji.id}` : emoji.name);
    const path = `/channels/${message.channel_id}/messages/${message.id}/reactions/${name}/@me`;
    try {
      await (me ? this.api.delete(path) : this.api.put(path));
    } catch (error) {
      toast(error.message, "problem");
    }
  }

  /**
   * Replace this person's votes in a poll; the events show them.
   * @param {Message} message
   * @param {number[]} answers
   */
  async vote(message, answers) {
    try {
      const path = `/channels/${message.channel_id}/polls/${message.id}/answers/@me`;
      await this.api.put(path, { answer_ids: answers.map(String) });
    } catch (error) {
      toast(error.message, "problem");
    }
  }

  /**
   * The message as it is shown until the server confirms it.
   * @param {string} channelId
   * @param {MessagePayload} payload
   * @param {File[]} files
   * @param {Message | null} replied
   * @returns {Message}
   */
  #entry(channelId, payload, files, replied) {
    return {
      id: payload.nonce,
      nonce: payload.nonce,
      channel_id: channelId,
      author: this.store.me,
      content: payload.content,
      type: replied ? MESSAGE.reply : MESSAGE.plain,
      referenced_message: replied,
      attachments: [],
      embeds: [],
      sending: true,
      uploading: files.length,
      again: () => this.send(channelId, payload, files, replied),
    };
  }
}
