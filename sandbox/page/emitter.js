/** The smallest publish and subscribe: views listen to topics of the store and of the gateway. */
export class Emitter {
  #listeners = new Map();

  /** Call `listener` on every `topic`. Returns a function that ends it; `signal` ends it too. */
  on(topic, listener, signal) {
    if (!this.#listeners.has(topic)) this.#listeners.set(topic, new Set());
    const listeners = this.#listeners.get(topic);
    listeners.add(listener);
    const stop = () => listeners.delete(listener);
    signal?.addEventListener("abort", stop, { once: true });
    return stop;
  }

  emit(topic, ...values) {
    for (const listener of [...(this.#listeners.get(topic) ?? [])]) listener(...values);
  }
}
