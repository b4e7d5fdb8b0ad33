import { Button, NativeSelect, TextInput } from '@mantine/core'
import { IconArrowDown, IconPlayerPause, IconPlayerPlay, IconSearch, IconTrash } from '@tabler/icons-react'
import { useCallback, useDeferredValue, useMemo, useState } from 'react'
import type { LogLevel, LogRecord } from 'vivienne-client'
import { useVivienneLogs } from 'vivienne-client/react'
import { useAddress, useAddressText } from '../app/address.ts'
import { LogList } from './LogList.tsx'
import { LogConnection, NoRecords } from './LogState.tsx'
import classes from './LogsPage.module.css'
import { countAfter, matching } from './matching.ts'

const LEVELS = ['all', 'info', 'warning', 'error', 'critical'] as const
type ShownLevel = (typeof LEVELS)[number]

const LEVEL_WORDS: Readonly<Record<ShownLevel, string>> = {
  all: 'All levels',
  info: 'Info and above',
  warning: 'Warnings and above',
  error: 'Errors and above',
  critical: 'Critical only',
}

/** Live log of the server. */
export function LogsPage() {
  const [level, setLevel] = useAddress('level', LEVELS, 'all')
  return <Tail key={level} level={level} setLevel={setLevel} />
}

/** Cause of a standstill: the button was pressed, or the list was scrolled. */
interface Pause {
  readonly records: readonly LogRecord[]
  readonly by: 'button' | 'reading'
}

function Tail({ level, setLevel }: { level: ShownLevel; setLevel: (level: ShownLevel) => void }) {
  const [text, setText] = useAddressText('text')
  const sought = useDeferredValue(text)
  const { records, dropped, connection, clear } = useVivienneLogs(level === 'all' ? {} : { level: level as LogLevel })
  const [pause, setPause] = useState<Pause | null>(null)

  const held = pause?.records ?? records
  const shown = useMemo(() => matching(held, sought), [held, sought])
  const last = pause?.records.at(-1)?.id ?? 0
  const waiting = useMemo(
    () => (pause === null ? 0 : countAfter(matching(records, sought), last)),
    [pause, last, records, sought],
  )
  // Of a long pause only the newest are held, and counted.
  const isMore = (records[0]?.id ?? 0) > last + 1
  const read = useCallback(() => setPause((before) => before ?? { records, by: 'reading' }), [records])
  const end = useCallback(() => setPause((before) => (before?.by === 'reading' ? null : before)), [])
  const goOn = () => setPause(null)

  return (
    <div className={classes.page}>
      <div className={classes.toolbar}>
        <h1>Logs</h1>
        <NativeSelect
          size="xs"
          aria-label="Level"
          value={level}
          onChange={(event) => setLevel(event.currentTarget.value as ShownLevel)}
          data={LEVELS.map((value) => ({ value, label: LEVEL_WORDS[value] }))}
        />
        <TextInput
          className={classes.filter ?? ''}
          size="xs"
          type="search"
          aria-label="Filter records by text"
          placeholder="Text ( / )"
          leftSection={<IconSearch size={15} aria-hidden />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Escape' && (text === '' ? event.currentTarget.blur() : setText(''))}
          data-page-filter
        />
        <LogConnection connection={connection} />
        <span className={`figure ${classes.count}`}>
          {dropped > 0 && <strong>{dropped} lost (this page did not keep up) - </strong>}
          {sought.trim() === '' ? `${shown.length} records` : `${shown.length} of ${held.length} records`}
        </span>
        <Button
          size="xs"
          variant={pause === null ? 'default' : 'filled'}
          className={classes.pause ?? ''}
          leftSection={pause === null ? <IconPlayerPause size={15} /> : <IconPlayerPlay size={15} />}
          onClick={() => (pause === null ? setPause({ records, by: 'button' }) : goOn())}
        >
          {pause === null ? 'Pause' : 'Go on'}
        </Button>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconTrash size={15} />}
          title="Removes the records from this page; the server keeps them"
          onClick={() => {
            clear()
            goOn()
          }}
        >
          Clear
        </Button>
      </div>
      <div className={`panel ${classes.list}`}>
        {shown.length === 0 ? (
          <NoRecords connection={connection} filtered={held.length > 0} level={LEVEL_WORDS[level]} />
        ) : (
          <LogList records={shown} sought={sought} following={pause === null} onRead={read} onEnd={end} />
        )}
        {pause !== null && (
          <Button className={classes.end ?? ''} size="xs" leftSection={<IconArrowDown size={15} />} onClick={goOn}>
            <span className="figure">
              {pause.by === 'button' ? 'Paused' : 'Paused while you read'} - {waiting}
              {isMore && '+'} new - go to the end
            </span>
          </Button>
        )}
      </div>
    </div>
  )
}
