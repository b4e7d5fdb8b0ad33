import { useEffect, useRef, useSyncExternalStore } from 'react'
import { useNavigate } from 'react-router'
import type { AlertEvent, AlertPushed, ConnectionSnapshot, SeveralAlerts } from 'vivienne-client'
import { barAddress } from '../../asset/address.ts'
import { alertStream, alerts } from '../../client.ts'
import { serverClock } from '../../clock/clocks.ts'
import { unrealWords } from '../words.ts'
import { AlertFeed, type Fired } from './AlertFeed.ts'
import { notify } from './notification.ts'
import { once } from './once.ts'
import { ring } from './sound.ts'

const PAGE = 100
const RETRY_MS = 10_000
/** Of those that came while there was no connection, so many are shown by themselves; the bell counts all. */
const MOST_AT_ONCE = 3

const feed = new AlertFeed()

/** What has fired for browsers. Whoever uses it does not connect; see {@link useAlertsComing}. */
export function useFired(): Fired {
  return useSyncExternalStore(feed.subscribe, feed.getSnapshot)
}

/** Receives what fires, and tells it: by a notification and a sound, in one tab. Used once, in the frame of the page. */
export function useAlertsComing(): void {
  // Another one on each page; the connection stays.
  const now = useNavigate()
  const navigate = useRef(now)
  navigate.current = now
  useEffect(() => {
    const tell = (event: AlertEvent | SeveralAlerts, sound: boolean) => {
      if (isExpired(event)) return
      void once(`notify ${event.id}`, () =>
        notify({ ...notificationOf(event), open: () => void navigate.current(placeOf(event)) }),
      )
      if (sound) void once(`ring ${event.id}`, ring)
    }
    const pushed = (message: AlertPushed) => {
      if (feed.push(message).length > 0) tell(message.event, message.sound)
      // The list has what was dropped.
      if (feed.getSnapshot().missed > 0) void read()
    }
    const end = new AbortController()
    const read = reading(end.signal, (events) => {
      for (const event of events.slice(-MOST_AT_ONCE)) tell(event, false)
    })
    let isLive = false
    const connected = ({ state }: ConnectionSnapshot) => {
      const wasLive = isLive
      isLive = state === 'live'
      if (isLive && !wasLive) void read()
    }
    const ends = [alertStream.on('alert', pushed), alertStream.on('connection', connected)]
    alertStream.connect()
    return () => {
      end.abort()
      for (const each of ends) each()
      alertStream.disconnect()
      feed.forget()
    }
  }, [])
}

/** Reads the list, once at a time, until it has worked. What is new in it came while there was no connection. */
function reading(signal: AbortSignal, tell: (events: readonly AlertEvent[]) => void): () => Promise<void> {
  let isReading = false
  const read = async () => {
    if (isReading) return
    isReading = true
    try {
      const { events } = await alerts.events({ channel: 'browser', limit: PAGE, signal })
      tell(feed.read(events))
    } catch {
      // The bell says that it does not know; the page says elsewhere that the server is away.
      if (!signal.aborted && alertStream.getSnapshot().state === 'live') setTimeout(() => void read(), RETRY_MS)
    } finally {
      isReading = false
    }
  }
  return read
}

function isExpired({ expires_at: expires }: { readonly expires_at: string }): boolean {
  const now = serverClock.now()
  return now !== null && Date.parse(expires) < now
}

function notificationOf(event: AlertEvent | SeveralAlerts) {
  const unreal = unrealWords(event.market)
  const title =
    event.type === 'several' || event.asset === null ? event.alert.name : `${event.asset}: ${event.alert.name}`
  return { tag: event.id, title: unreal === null ? title : `${title} (${unreal})`, body: event.text }
}

/** The page that an alert is about: the bar of its asset. */
export function placeOf(event: AlertEvent | SeveralAlerts): string {
  if (event.type === 'several' || event.asset === null) return '/alerts/deliveries'
  if (event.bar_time === null) return `/assets/${encodeURIComponent(event.asset)}`
  return barAddress(event.asset, event.bar_time)
}
