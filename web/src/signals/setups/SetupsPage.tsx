import { NativeSelect, Skeleton } from '@mantine/core'
import { useSearchParams } from 'react-router'
import type { Setups } from 'vivienne-client'
import { useAddress } from '../../app/address.ts'
import { barLength } from '../../asset/chart/bars.ts'
import { record } from '../../client.ts'
import { dayOf } from '../../parts/days.ts'
import { LEVELS, Level } from '../../parts/Level.tsx'
import { Side } from '../../parts/Side.tsx'
import { filterTitle, useFilters } from '../filterTitles.ts'
import { useNewestBar, useTimeframe } from '../newestBar.ts'
import page from '../SignalsPage.module.css'
import { SpanChoice } from '../SpanChoice.tsx'
import { judgedSpan } from '../span.ts'
import { Unread } from '../Unread.tsx'
import { useJudged, useSpan } from '../useJudged.ts'
import { Views } from '../Views.tsx'
import { HeatMapPanel } from './HeatMapPanel.tsx'
import { DEFAULT_HORIZON, HORIZONS, type Horizon, heldRows, setupRows, timeOf } from './rows.ts'
import classes from './SetupsPage.module.css'
import { SetupTable } from './SetupTable.tsx'

const WORDS = HORIZONS.map(String)
const GAINED = { more: 'gains more often', fewer: 'loses more often', unknown: 'cannot tell' } as const
const RIGHT = { more: 'mostly right', fewer: 'mostly wrong', unknown: 'cannot tell' } as const

/** How often setups worked: what came of entries, by their kinds, and of those that filters held back. */
export function SetupsPage() {
  const span = useSpan()
  useFilters()
  const { data, error, isPlaceholderData, refetch } = useJudged(['setups'], span, (judged) => record.setups(judged))
  const [after, setAfter] = useAddress('after', WORDS, String(DEFAULT_HORIZON))
  const length = barLength(useTimeframe())
  const address = useListAddress()
  return (
    <div className={`${page.page} ${classes.page}`}>
      <header className={page.head}>
        <h1>Setups</h1>
        <Views />
        <SpanChoice>
          <NativeSelect
            size="xs"
            aria-label="Judged after"
            value={after}
            data={HORIZONS.map((bars) => ({ value: String(bars), label: `After ${barsWords(bars, length)}` }))}
            onChange={(event) => setAfter(event.currentTarget.value)}
          />
        </SpanChoice>
      </header>
      <p className={classes.words}>
        An entry is a bar that asks for a position that the bar before did not ask for; the names lead to lists of all
        bars, which are more. It gained if the price moved its way from the next open to the close{' '}
        {after === '1' ? 'of that bar' : `${after} bars later`}, before costs. The strip beside a rate shows where the
        true one is believed to be. The more rows a table has, the wider it is, because of many rows a few look good by
        chance. Entries near each other are not independent, so the truth is less sure still.
      </p>
      <Unread error={error} again={refetch} />
      {data === undefined ? (
        error === null && <Skeleton height={420} aria-label="Loading the setups" aria-busy="true" />
      ) : (
        <div className={classes.tables} data-old={isPlaceholderData || undefined}>
          <Tables setups={data} horizon={Number(after) as Horizon} length={length} address={address} />
        </div>
      )}
      <HeatMapPanel
        span={span}
        address={(by, since, until) =>
          address({
            kind: 'held',
            by,
            ...(since === undefined ? {} : { since: dayOf(since) }),
            ...(until === undefined ? {} : { until: dayOf(until) }),
          })
        }
      />
    </div>
  )
}

interface TablesProps {
  setups: Setups
  horizon: Horizon
  length: number
  address: (values: Readonly<Record<string, string>>) => string
}

function Tables({ setups, horizon, length, address }: TablesProps) {
  const kinds = {
    counted: 'Entries',
    asked: `Gained after ${barsWords(horizon, length)}`,
    meant: 'Mean return',
    words: GAINED,
  }
  const assets = setupRows(setups.by_asset, horizon).sort((one, other) => other.entries - one.entries)
  return (
    <>
      <div>
        <SetupTable
          {...kinds}
          title="By level"
          rows={setupRows(setups.by_level, horizon)}
          show={(name) => <Level level={LEVELS.find((level) => level === name) ?? 'idle'} size="sm" />}
          address={(level) => address({ kind: 'fired', level })}
        />
        <SetupTable
          {...kinds}
          title="By side"
          rows={setupRows(setups.by_side, horizon)}
          show={(name) => <Side side={name === 'long' ? 'long' : 'short'} />}
          address={(side) => address({ kind: 'fired', side })}
        />
        <SetupTable
          title="Held back by a filter"
          counted="Held"
          asked={`Was it right? Would have lost after ${barsWords(16, length)}`}
          meant="Mean return held back"
          words={RIGHT}
          rows={heldRows(setups.held_by)}
          show={filterTitle}
          address={(by) => address({ kind: 'held', by })}
          listed="on which it held an entry back"
        />
        {assets.length > 1 && (
          <SetupTable
            {...kinds}
            title="By asset"
            rows={assets}
            address={(asset) => address({ kind: 'fired', asset })}
          />
        )}
      </div>
      <div>
        <SetupTable {...kinds} title="By hour of the day (UTC)" most={24} rows={setupRows(setups.by_hour, horizon)} />
      </div>
    </>
  )
}

/** Addresses of the list of signals of the same span. */
function useListAddress(): TablesProps['address'] {
  const [address] = useSearchParams()
  const newest = useNewestBar()
  const span = useSpan()
  return (values) => {
    const { from } = newest === '' ? {} : judgedSpan(span, Date.parse(newest))
    const search = new URLSearchParams()
    for (const name of ['asset', 'since', 'until']) {
      const value = address.get(name)
      if (value) search.set(name, value)
    }
    if (from !== undefined && span.word !== 'days') search.set('since', dayOf(from))
    for (const [name, value] of Object.entries(values)) search.set(name, value)
    return `/signals?${search}`
  }
}

function barsWords(bars: number, length: number): string {
  return `${bars} ${bars === 1 ? 'bar' : 'bars'} (${timeOf(bars, length)})`
}
