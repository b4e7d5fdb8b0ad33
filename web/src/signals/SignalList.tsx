import { Button, Skeleton } from '@mantine/core'
import { useRef } from 'react'
import type { DecisionRow } from 'vivienne-client'
import { formatBarTime } from '../parts/format.ts'
import { ticks } from '../parts/ticks.ts'
import { useCalmList } from '../parts/useCalmList.ts'
import { isNarrowed, type SignalFilter } from './filter.ts'
import { useFilters } from './filterTitles.ts'
import classes from './SignalList.module.css'
import { SignalRow } from './SignalRow.tsx'
import { Unread } from './Unread.tsx'
import { useSignals } from './useSignals.ts'

const timeOf = ({ time }: DecisionRow) => Date.parse(time)

/** Recorded entries, newest first; new ones come while nobody is in the list. */
export function SignalList({ filter }: { filter: SignalFilter }) {
  const list = useRef<HTMLTableElement>(null)
  useFilters()
  const { signals, unanswered, lookedBackTo, error, isPending, isPlaceholderData, hasNextPage, ...more } =
    useSignals(filter)
  const { shown, waiting, catchUp } = useCalmList(list, signals, timeOf)
  if (isPending && error === null) return <Loading />
  // Before the first row is drawn, so that prices of an asset have the same digits in all of them.
  for (const { asset, price } of shown) ticks.learn(asset, [price])
  return (
    <div className={classes.signals}>
      {waiting > 0 && (
        <div className={classes.news}>
          <Button size="compact-sm" onClick={catchUp}>
            {waiting} new {waiting === 1 ? 'signal' : 'signals'}
          </Button>
        </div>
      )}
      <Unread error={error} />
      {unanswered.length > 0 && (
        <p className={classes.missing} role="status">
          Not among them: {unanswered.join(', ')}; the agents of these assets do not answer.
        </p>
      )}
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
              <SignalRow key={`${row.time} ${row.asset}`} signal={row} />
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
          onClick={() => more.fetchNextPage()}
        >
          {lookedBackTo === null
            ? 'Show older signals'
            : `Look further back than ${formatBarTime(momentOf(lookedBackTo))}`}
        </Button>
      )}
    </div>
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
