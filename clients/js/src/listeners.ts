/** Those who want to be told, all of them or by topic. One that throws does not keep the others from it. */
export class Listeners<T> {
  readonly #entries = new Set<{ listener: (payload: T) => void; topic: string | undefined }>()

  /** Adds a listener; the same one may be added twice. Returns what takes it away again. */
  add(listener: (payload: T) => void, topic?: string): () => void {
    const entry = { listener, topic }
    this.#entries.add(entry)
    return () => void this.#entries.delete(entry)
  }

  /** Tells those of the topic. Errors of listeners go where uncaught ones go. */
  tell(payload: T, topic?: string): void {
    for (const entry of [...this.#entries]) {
      try {
        if (entry.topic === topic) entry.listener(payload)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
