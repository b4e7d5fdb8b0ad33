import type { AlertEvent, AlertPushed } from 'vivienne-client'

/** What has fired, newest first. */
export interface Fired {
  readonly events: readonly AlertEvent[]
  /** Alerts that this page did not get, because it was too slow, and that are not among them. */
  readonly missed: number
  /** True once the list of the server was read. */
  readonly isRead: boolean
}

/** So many are held. */
const MOST = 200

/** The alerts for browsers: those of the list, and those that come. Each is there once. */
export class AlertFeed {
  #fired: Fired = { events: [], missed: 0, isRead: false }
  readonly #listeners = new Set<() => void>()

  /** The same object until it changes. */
  getSnapshot = (): Fired => this.#fired

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Takes the list of the server.
   *
   * @returns the alerts that are new, oldest first; none of the first list, which is of before this page
   */
  read(events: readonly AlertEvent[]): AlertEvent[] {
    const { isRead } = this.#fired
    const added = this.#add(events)
    this.#set({ missed: 0, isRead: true })
    return isRead ? added : []
  }

  /** Takes what was pushed. Returns the alerts that are new, oldest first. */
  push({ event, dropped = 0 }: AlertPushed): AlertEvent[] {
    const several = event.type === 'several'
    const added = this.#add(several ? event.events : [event])
    const unlisted = several ? event.count - event.events.length : 0
    this.#set({ missed: this.#fired.missed + dropped + unlisted })
    return added
  }

  /** Forgets everything: what one person was told is not for the next one. */
  forget(): void {
    this.#set({ events: [], missed: 0, isRead: false })
  }

  #add(events: readonly AlertEvent[]): AlertEvent[] {
    const known = new Set(this.#fired.events.map(({ id }) => id))
    const added = events.filter(({ id }) => !known.has(id)).sort((one, other) => one.time.localeCompare(other.time))
    if (added.length === 0) return added
    const all = [...this.#fired.events, ...added].sort((one, other) => other.time.localeCompare(one.time))
    this.#set({ events: all.slice(0, MOST) })
    return added
  }

  #set(change: Partial<Fired>): void {
    this.#fired = { ...this.#fired, ...change }
    for (const listener of this.#listeners) listener()
  }
}
