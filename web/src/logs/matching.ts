import type { LogRecord } from 'vivienne-client'

/** The records in whose text, source or traceback the words stand, in any case. */
export function matching(records: readonly LogRecord[], text: string): readonly LogRecord[] {
  const sought = text.trim().toLowerCase()
  if (sought === '') return records
  return records.filter(
    ({ message, logger, process = '', exception = '' }) =>
      message.toLowerCase().includes(sought) ||
      sourceOf({ logger, process }).toLowerCase().includes(sought) ||
      exception.toLowerCase().includes(sought),
  )
}

/** Source of a record: the logger, and the process if there are several. */
export function sourceOf({ logger, process }: Pick<LogRecord, 'logger' | 'process'>): string {
  return process ? `${process}: ${logger}` : logger
}

/** A text in pieces, those that are sought marked. */
export function marked(text: string, sought: string): { readonly piece: string; readonly sought: boolean }[] {
  const words = sought.trim().toLowerCase()
  if (words === '') return [{ piece: text, sought: false }]
  const pieces = []
  const lower = text.toLowerCase()
  let from = 0
  for (let at = lower.indexOf(words); at >= 0; at = lower.indexOf(words, from)) {
    if (at > from) pieces.push({ piece: text.slice(from, at), sought: false })
    from = at + words.length
    pieces.push({ piece: text.slice(at, from), sought: true })
  }
  if (from < text.length) pieces.push({ piece: text.slice(from), sought: false })
  return pieces
}

/** Number of records after a record. */
export function countAfter(records: readonly LogRecord[], id: number): number {
  let count = 0
  for (let place = records.length - 1; place >= 0 && (records[place]?.id ?? 0) > id; place--) count++
  return count
}

/** A record as one would write it down; the traceback below. */
export function lineOf(record: LogRecord): string {
  const { timestamp, level, message, exception } = record
  const line = `${timestamp} ${level} ${sourceOf(record)}: ${message}`
  return exception === undefined ? line : `${line}\n${exception}`
}
