/**
 * Commands, presses, autocomplete and forms: POST /interactions, and the events that follow.
 *
 * Every interaction has a nonce; INTERACTION_CREATE has its id, and INTERACTION_SUCCESS or _FAILURE ends it.
 * An answer is an ordinary MESSAGE_CREATE. Emits "changed" (channel id) when the pending interactions change,
 * "begun" (channel id) when a command was sent, and "modal" (data) when the application answers with a form.
 */

import { Emitter } from "./emitter.js";
import { freshId } from "./snowflake.js";

export const INTERACTION = { command: 2, component: 3, autocomplete: 4, modal: 5 };
const PATIENCE_MS = 15_000; // the gateway reports a missing answer after 3 s; this limit is for a lost connection
const NO_ANSWER = "The application did not respond";

export class Interactions extends Emitter {
  /** @type {Map<string, { id: string | null, settle(failure: string | null): void }>} */
  #waiting = new Map(); // by nonce
  /** @type {Notice[]} */
  notices = []; // shown at the end of the channel

  /**
   * @param {Api} api
   * @param {Gateway} gateway
   */
  constructor(api, gateway) {
    super();
    this.api = api;
    this.gateway = gateway;
  }

  /**
   * Run a command. data: as Discord's clients send it ({id, name, type, version, options, …}).
   * label: the command's text, shown until the answer arrives.
   * @param {Place & { applicationId: string, data: object, files?: File[], label: string }} options
   */
  async run({ guildId, channelId, applicationId, data, files = [], label }) {
    const nonce = freshId();
    this.emit("begun", channelId);
    this.#notice({ nonce, channelId, label, failure: null });
    const failure = await this.#send(INTERACTION.command, {
      nonce,
      guildId,
      channelId,
      applicationId,
      data,
      files,
    });
    if (failure) this.#notice({ nonce, channelId, label, failure });
    else this.dismiss(nonce);
  }

  /**
   * Press a button or choose in a select. Returns a sentence when it failed, null when it was answered.
   * @param {Message} message
   * @param {Component} component
   * @param {string[] | undefined} values
   * @param {Place} place
   */
  async press(message, component, values, place) {
    const nonce = freshId();
    const data = {
      component_type: component.type,
      custom_id: component.custom_id,
      ...(values ? { values, type: component.type } : {}),
    };
    return this.#send(INTERACTION.component, {
      nonce,
      ...place,
      applicationId: message.application_id ?? message.author.id,
      data,
      extra: { message_id: message.id, message_flags: message.flags ?? 0 },
    });
  }

  /**
   * Choices for the option that is being typed, or [] when there are none.
   * @param {Place & { applicationId: string, data: object }} options
   */
  async autocomplete({ guildId, channelId, applicationId, data }) {
    const nonce = freshId();
    return new Promise((resolve) => {
      const stop = this.gateway.on("dispatch", (type, event) => {
        if (type === "APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE" && event.nonce === nonce)
          finish(event.choices ?? []);
      });
      const timer = setTimeout(() => finish([]), 3_500);
      /** @param {{ name: string, value: string | number }[]} choices */
      const finish = (choices) => {
        clearTimeout(timer);
        stop();
        resolve(choices);
      };
      this.#post(INTERACTION.autocomplete, { nonce, guildId, channelId, applicationId, data }).catch(() =>
        finish([]),
      );
    });
  }

  /**
   * Send a filled form. Returns a sentence when it failed, null when it was accepted.
   * @param {Modal} modal
   * @param {ComponentAnswer[]} components
   * @param {Place} place
   */
  submit(modal, components, place) {
    const data = { id: modal.id, custom_id: modal.custom_id, components };
    return this.#send(INTERACTION.modal, {
      nonce: freshId(),
      ...place,
      applicationId: modal.application.id,
      data,
    });
  }

  /** @param {string} nonce */
  dismiss(nonce) {
    const notice = this.notices.find((entry) => entry.nonce === nonce);
    if (!notice) return;
    this.notices = this.notices.filter((entry) => entry !== notice);
    this.emit("changed", notice.channelId);
  }

  /**
   * Handle the gateway's events about interactions; messages count as answers.
   * @param {string} type
   * @param {any} event
   */
  apply(type, event) {
    if (type === "INTERACTION_CREATE") this.#named(event);
    else if (type === "INTERACTION_SUCCESS") this.#find(event)?.settle(null);
    else if (type === "INTERACTION_FAILURE") this.#find(event)?.settle(NO_ANSWER);
    else if (type === "INTERACTION_MODAL_CREATE") {
      this.#find(event)?.settle(null);
      this.emit("modal", event);
    } else if (type === "MESSAGE_CREATE") {
      this.#find({ nonce: event.nonce, id: event.interaction_metadata?.id ?? event.interaction?.id })?.settle(
        null,
      );
    }
  }

  /** @param {{ nonce?: string, id?: string }} wanted */
  #named({ nonce, id }) {
    const waiting = this.#waiting.get(nonce ?? "");
    if (waiting) waiting.id = id ?? null;
  }

  /** @param {{ nonce?: string, id?: string }} wanted */
  #find({ nonce, id }) {
    if (nonce && this.#waiting.has(nonce)) return this.#waiting.get(nonce);
    return [...this.#waiting.values()].find((waiting) => id && waiting.id === id);
  }

  /**
   * Post and wait for the end. Returns a sentence about the failure, or null.
   * @param {number} type
   * @param {InteractionRequest} request
   */
  #send(type, request) {
    return new Promise((resolve) => {
      /** @param {string | null} failure */
      const settle = (failure) => {
        clearTimeout(timer);
        this.#waiting.delete(request.nonce);
        resolve(failure);
      };
      const timer = setTimeout(() => settle(NO_ANSWER), PATIENCE_MS);
      this.#waiting.set(request.nonce, { id: null, settle });
      this.#post(type, request).catch((error) => settle(error.message));
    });
  }

  /**
   * @param {number} type
   * @param {InteractionRequest} request
   */
  #post(type, { nonce, guildId, channelId, applicationId, data, files = [], extra = {} }) {
    return this.api.upload(
      "/interactions",
      {
        type,
        nonce,
        application_id: applicationId,
        guild_id: guildId,
        channel_id: channelId,
        session_id: this.gateway.sessionId,
        data,
        ...extra,
      },
      files,
    );
  }

  /** @param {Notice} notice */
  #notice(notice) {
    this.notices = [
      ...this.notices.filter((entry) => entry.nonce !== notice.nonce),
      { id: notice.nonce, ...notice },
    ];
    this.emit("changed", notice.channelId);
  }
}
