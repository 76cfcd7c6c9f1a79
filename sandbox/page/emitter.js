/** A small publish and subscribe: views listen to topics of the store and of the gateway. */
export class Emitter {
  /** @type {Map<string, Set<(...values: any[]) => unknown>>} */
  #listeners = new Map();

  /**
   * Call `listener` for each `topic`. Returns a function that stops it; `signal` stops it too.
   * @param {string} topic
   * @param {(...values: any[]) => unknown} listener
   * @param {AbortSignal} [signal]
   */
  on(topic, listener, signal) {
    if (!this.#listeners.has(topic)) this.#listeners.set(topic, new Set());
    const listeners = /** @type {Set<typeof listener>} */ (this.#listeners.get(topic));
    listeners.add(listener);
    const stop = () => listeners.delete(listener);
    signal?.addEventListener("abort", stop, { once: true });
    return stop;
  }

  /**
   * @param {string} topic
   * @param {...any} values
   */
  emit(topic, ...values) {
    for (const listener of [...(this.#listeners.get(topic) ?? [])]) listener(...values);
  }
}
