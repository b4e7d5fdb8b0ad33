import { Button, Skeleton } from '@mantine/core'
import { useRef } from 'react'
import { useLocation } from 'react-router'
import type { DecisionRow } from 'vivienne-client'
import { useAssets } from 'vivienne-client/react'
import { barLength } from '../asset/chart/bars.ts'
import { formatBarTime } from '../parts/format.ts'
import { ticks } from '../parts/ticks.ts'
import { useCalmList } from '../parts/useCalmList.ts'
import { useZone } from '../parts/zone.ts'
import { isNarrowed, type SignalFilter } from './filter.ts'
import { useFilters } from './filterTitles.ts'
import { behindWords, countedWords, enteredIn } from './listWords.ts'
import { useNewestBars, useTimeframe } from './newestBar.ts'
import classes from './SignalList.module.css'
import { SignalRow } from './SignalRow.tsx'
import { Unread } from './Unread.tsx'
import { useSignals } from './useSignals.ts'

const timeOf = ({ time }: DecisionRow) => Date.parse(time)
const ORDER = { orderOf: timeOf, keyOf: ({ time, asset }: DecisionRow) => `${time} ${asset}` }

/** Recorded entries, newest first; new ones come while nobody is in the list. */
export function SignalList({ filter }: { filter: SignalFilter }) {
  const list = useRef<HTMLTableElement>(null)
  useFilters()
  const {
    signals,
    of,
    loadOlder,
    unanswered,
    lookedBackTo,
    error,
    isPending,
    isPlaceholderData,
    hasNextPage,
    ...more
  } = useSignals(filter)
  const { shown, waiting, catchUp } = useCalmList(list, signals, { of, ...ORDER })
  if (isPending && error === null) return <Loading />
  // Before the first row is drawn, so that prices of an asset have the same digits in all of them.
  for (const { asset, price } of shown) ticks.learn(asset, [price])
  return (
    <div className={classes.signals}>
      {waiting > 0 && (
        <div className={classes.news}>
          <Button size="compact-sm" onClick={catchUp}>
            {/* If all that was answered is new, there may be more. */}
            {waiting}
            {waiting === signals.length && hasNextPage && '+'} new {waiting === 1 ? 'signal' : 'signals'}
          </Button>
        </div>
      )}
      <Unread error={error} again={more.refetch} />
      <Behind filter={filter} />
      {unanswered.length > 0 && (
        <p className={classes.missing} role="status">
          Not among them: {unanswered.join(', ')}; the agents of these assets do not answer.
        </p>
      )}
      {shown.length > 0 && <Counted bars={shown.length} isAll={!hasNextPage} />}
      {shown.length > 0 ? (
        <table className={classes.table} ref={list} data-old={isPlaceholderData || undefined} aria-label="Signals">
          <thead>
            <tr>
              <th>Bar</th>
              <th>Asset</th>
              <th>Level</th>
              <th>Side</th>
              <th className={classes.number}>Confidence</th>
              <th className={classes.number}>Size</th>
              <th className={classes.number}>Price</th>
              <th>Held by</th>
              <th className={classes.number}>Version</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <SignalRow key={ORDER.keyOf(row)} signal={row} />
            ))}
          </tbody>
        </table>
      ) : (
        error === null && !hasNextPage && <Empty filter={filter} />
      )}
      {hasNextPage && (
        <Button
          className={classes.older ?? ''}
          size="xs"
          variant="default"
          loading={more.isFetchingNextPage}
          onClick={() => loadOlder(Math.min(...shown.map(timeOf)))}
        >
          {lookedBackTo === null
            ? 'Show older signals'
            : `Look further back than ${formatBarTime(momentOf(lookedBackTo))}`}
        </Button>
      )}
    </div>
  )
}

/** How many bars are listed; of those that a row of the setups led to, also how many it counted. */
function Counted({ bars, isAll }: { bars: number; isAll: boolean }) {
  const { state } = useLocation()
  const words = countedWords(bars, isAll, enteredIn(state))
  return <p className={classes.counted}>{words}</p>
}

/** Assets whose newest bar is from before the days that are asked for, as in replays of files of different days. */
function Behind({ filter }: { filter: SignalFilter }) {
  const all = useAssets()
  const assets = filter.asset ?? all
  const newest = useNewestBars(assets)
  const length = barLength(useTimeframe())
  // Its days are those of the chosen zone.
  useZone()
  if (filter.from === undefined) return null
  const words = behindWords(
    assets.map((asset, place) => ({ asset, newest: newest[place] ?? '' })),
    Date.parse(filter.from),
    length,
  )
  return words === null ? null : (
    <p className={classes.behind} role="status">
      {words}
    </p>
  )
}

/** The time of a place in the list. */
function momentOf(place: string): string {
  return place.split(',', 1)[0] ?? place
}

function Empty({ filter }: { filter: SignalFilter }) {
  return (
    <div className={classes.empty}>
      {isNarrowed(filter) ? (
        <p>No signal matches. Widen the filter above.</p>
      ) : (
        <p>
          <strong>Nothing has fired yet.</strong> Every entry of loaded or above is listed here from the moment its bar
          closes: what fired, and what a filter held back. It stays after a restart.
        </p>
      )}
    </div>
  )
}

function Loading() {
  return (
    <div role="status" aria-busy="true" aria-label="Loading the signals">
      {[1, 2, 3, 4, 5, 6].map((row) => (
        <Skeleton key={row} height={34} mb={6} />
      ))}
    </div>
  )
}
