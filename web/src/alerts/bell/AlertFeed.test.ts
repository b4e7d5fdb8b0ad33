import { expect, test } from 'vitest'
import type { AlertEvent } from 'vivienne-client'
import { AlertFeed } from './AlertFeed.ts'

function alert(id: string, minute: number): AlertEvent {
  return { id, type: 'level', time: `2026-05-04T13:${String(minute).padStart(2, '0')}:00.000Z` } as AlertEvent
}

const PUSHED = { type: 'alert', timestamp: '', sound: true } as const
const idsOf = (events: readonly AlertEvent[]) => events.map(({ id }) => id)

test('an alert that is pushed and listed is there once, the newest first', () => {
  const feed = new AlertFeed()
  expect(idsOf(feed.push({ ...PUSHED, event: alert('b', 2) }))).toEqual(['b'])
  feed.read([alert('b', 2), alert('a', 1)])
  expect(feed.push({ ...PUSHED, event: alert('b', 2) })).toEqual([])
  expect(idsOf(feed.getSnapshot().events)).toEqual(['b', 'a'])
})

test('alerts of before this page are not told, those of a time without connection are', () => {
  const feed = new AlertFeed()
  expect(feed.read([alert('a', 1)])).toEqual([])
  expect(idsOf(feed.read([alert('c', 3), alert('b', 2), alert('a', 1)]))).toEqual(['b', 'c'])
})

test('what was dropped, and what a message of several leaves out, is missed until the list is read', () => {
  const feed = new AlertFeed()
  const several = { type: 'several', count: 37, events: [alert('a', 1), alert('b', 2)] } as never
  feed.push({ ...PUSHED, event: several, dropped: 2 })
  expect(feed.getSnapshot()).toMatchObject({ missed: 37, events: [{ id: 'b' }, { id: 'a' }] })
  feed.read([])
  expect(feed.getSnapshot().missed).toBe(0)
  feed.forget()
  expect(feed.getSnapshot()).toEqual({ events: [], missed: 0, isRead: false })
})
