/**
 * The connection to the gateway: identify, heartbeat, resume. It reconnects by itself.
 *
 * Emits "dispatch" (type, data) for every event and "state" (state, seconds) where state is
 * "connecting", "ready", "waiting" (the next try comes in `seconds`) or "refused" (a bad token).
 */

import { Emitter } from "./emitter.js";

const OP = {
  dispatch: 0,
  heartbeat: 1,
  identify: 2,
  resume: 6,
  reconnect: 7,
  invalidSession: 9,
  hello: 10,
  ack: 11,
};
const CLOSED_FOR_RESUME = 4000; // any code but 1000 and 1001 keeps the session alive
const AUTHENTICATION_FAILED = 4004;
const SESSION_LOST = new Set([1000, 1001, 4007, 4009]);
const MAX_WAIT_S = 15;

export class Gateway extends Emitter {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {{ id: string, seq: number | null } | null} */
  #session = null;
  /** @type {number | undefined} */
  #heartbeat;
  /** @type {number | undefined} */
  #retry;
  #acknowledged = true;
  #failures = 0;
  #closed = false;

  /** @param {string} token */
  constructor(token) {
    super();
    this.token = token;
    this.url = `${location.origin.replace(/^http/, "ws")}/gateway?v=10&encoding=json`;
  }

  get sessionId() {
    return this.#session?.id ?? null;
  }

  open() {
    clearTimeout(this.#retry);
    if (this.#closed || this.#socket) return;
    this.emit("state", "connecting");
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    socket.onclose = (event) => this.#lost(socket, event.code);
  }

  /** Close for good, because this tab changes its person. */
  close() {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#heartbeat);
    this.#socket?.close(1000);
  }

  /** @param {{ op: number, d: any, s: number | null, t: string }} payload */
  #receive({ op, d, s, t }) {
    if (this.#closed) return;
    if (s && this.#session) this.#session.seq = s;
    if (op === OP.dispatch) this.#dispatch(t, d, s);
    else if (op === OP.hello) this.#hello(d.heartbeat_interval);
    else if (op === OP.ack) this.#acknowledged = true;
    else if (op === OP.heartbeat) this.#send(OP.heartbeat, this.#session?.seq ?? null);
    else if (op === OP.reconnect) this.#socket?.close(CLOSED_FOR_RESUME);
    else if (op === OP.invalidSession) this.#invalid(d);
  }

  /**
   * @param {string} type
   * @param {any} data
   * @param {number | null} seq
   */
  #dispatch(type, data, seq) {
    if (type === "READY") this.#session = { id: data.session_id, seq };
    if (type === "READY" || type === "RESUMED") {
      this.#failures = 0;
      this.emit("state", "ready");
    }
    this.emit("dispatch", type, data);
  }

  /** @param {number} intervalMs */
  #hello(intervalMs) {
    this.#acknowledged = true;
    this.#beatIn(intervalMs * Math.random(), intervalMs);
    if (this.#session) {
      const { id, seq } = this.#session;
      this.#send(OP.resume, { token: this.token, session_id: id, seq });
    } else {
      const properties = { os: "desk", browser: "Magpie sandbox page", device: "" };
      this.#send(OP.identify, { token: this.token, properties, compress: false });
    }
  }

  /**
   * @param {number} delayMs
   * @param {number} intervalMs
   */
  #beatIn(delayMs, intervalMs) {
    clearTimeout(this.#heartbeat);
    this.#heartbeat = setTimeout(() => {
      // the last heartbeat was not answered, so the connection is dead
      if (!this.#acknowledged) return this.#socket?.close(CLOSED_FOR_RESUME);
      this.#acknowledged = false;
      this.#send(OP.heartbeat, this.#session?.seq ?? null);
      this.#beatIn(intervalMs, intervalMs);
    }, delayMs);
  }

  /** @param {boolean} resumable */
  #invalid(resumable) {
    if (!resumable) this.#session = null;
    this.#socket?.close(CLOSED_FOR_RESUME);
  }

  /**
   * @param {WebSocket} socket
   * @param {number} code
   */
  #lost(socket, code) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearTimeout(this.#heartbeat);
    if (this.#closed) return;
    if (code === AUTHENTICATION_FAILED) return this.emit("state", "refused");
    if (SESSION_LOST.has(code)) this.#session = null;
    this.#wait();
  }

  #wait() {
    const base = Math.min(MAX_WAIT_S, 0.5 * 2 ** this.#failures);
    const seconds = base * (0.75 + Math.random() / 2); // random, so that many tabs don't reconnect at the same time
    this.#failures += 1;
    this.emit("state", "waiting", seconds);
    this.#retry = setTimeout(() => this.open(), seconds * 1000);
  }

  /**
   * @param {number} op
   * @param {unknown} d
   */
  #send(op, d) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ op, d }));
  }
}
