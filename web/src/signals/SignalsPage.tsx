import { Button, NativeSelect, TextInput } from '@mantine/core'
import { type ReactNode, useMemo } from 'react'
import { useSearchParams } from 'react-router'
import { useAssets } from 'vivienne-client/react'
import { useAddressText, useChangedAddress } from '../app/address.ts'
import { barLength } from '../asset/chart/bars.ts'
import { dayOf } from '../parts/days.ts'
import { formatDay } from '../parts/format.ts'
import { useZone } from '../parts/zone.ts'
import { AssetsChoice } from './AssetsChoice.tsx'
import { Days } from './Days.tsx'
import { Exports } from './ExportButton.tsx'
import { chosenAssets, FILTER_NAMES, type FilterName, filterOf, ignoredOf, isVersion } from './filter.ts'
import { filterTitle, useFilters } from './filterTitles.ts'
import { Ignored } from './Ignored.tsx'
import { useNewestBars, useTimeframe } from './newestBar.ts'
import { SignalList } from './SignalList.tsx'
import classes from './SignalsPage.module.css'
import { Views } from './Views.tsx'

const KINDS = [
  { value: '', label: 'Fired and held' },
  { value: 'fired', label: 'Fired' },
  { value: 'held', label: 'Held back' },
]
const LEVELS = ['', 'loaded', 'aim', 'bang'].map((value) => ({ value, label: value || 'Any level' }))
const SIDES = ['', 'long', 'short'].map((value) => ({ value, label: value || 'Any side' }))

/** What fired, what was held back and by what, newest first; filters in the address. */
export function SignalsPage() {
  const [address] = useSearchParams()
  // A day begins at another moment in another zone.
  const zone = useZone()
  const known = useFilters()
  const filters = useMemo(() => known.map(({ id }) => id), [known])
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  const filter = useMemo(() => filterOf(address, filters), [address, filters, zone])
  return (
    <div className={classes.page}>
      <header className={classes.head}>
        <h1>Signals</h1>
        <Views />
        <Filters exports={<Exports filter={filter} />} />
      </header>
      <Ignored sentences={ignoredOf(address, filters)} />
      <SignalList filter={filter} />
    </div>
  )
}

function Filters({ exports }: { exports: ReactNode }) {
  const [address] = useSearchParams()
  const change = useChangedAddress()
  const filters = useFilters()
  const [version, setVersion] = useAddressText('version')
  const given = (name: FilterName) => ({
    value: address.get(name) ?? '',
    onChange: (event: { currentTarget: { value: string } }) => change({ [name]: event.currentTarget.value }),
  })
  const by = address.get('by')
  const ids = filters.map(({ id }) => id)
  const known = by === null || ids.includes(by) ? ids : [by, ...ids]
  return (
    <search className={classes.filters}>
      <Today />
      <AssetsChoice />
      <NativeSelect size="xs" aria-label="Kind" data={KINDS} {...given('kind')} />
      <NativeSelect size="xs" aria-label="Level" data={LEVELS} {...given('level')} />
      <NativeSelect size="xs" aria-label="Side" data={SIDES} {...given('side')} />
      <NativeSelect
        size="xs"
        aria-label="Blocked by"
        data={[
          { value: '', label: 'Blocked by any or none' },
          ...known.map((value) => ({ value, label: `Blocked by ${filterTitle(value)}` })),
        ]}
        {...given('by')}
      />
      <TextInput
        size="xs"
        className={classes.version ?? ''}
        aria-label="Version of the configuration"
        placeholder="Version ( / )"
        inputMode="numeric"
        data-page-filter
        value={version}
        error={version !== '' && !isVersion(version)}
        onChange={(event) => setVersion(event.currentTarget.value)}
      />
      <Days />
      {FILTER_NAMES.some((name) => address.has(name)) && (
        <Button
          size="xs"
          variant="subtle"
          onClick={() => {
            setVersion('')
            change(Object.fromEntries(FILTER_NAMES.map((name) => [name, null])))
          }}
        >
          Clear
        </Button>
      )}
      {exports}
    </search>
  )
}

/** Shows the signals of the day in the market, which in a replay is long ago; the button says which day then. */
function Today() {
  const [address] = useSearchParams()
  const change = useChangedAddress()
  const all = useAssets()
  const bars = useNewestBars(chosenAssets(address) ?? all)
  const newest = [...bars].sort().at(-1) ?? ''
  const timeframe = useTimeframe()
  // The day begins in the chosen zone.
  useZone()
  // The bar that closed at midnight opened yesterday.
  const closed = newest === '' ? null : Date.parse(newest) + barLength(timeframe)
  const today = closed === null ? null : dayOf(closed)
  const on = today !== null && address.get('since') === today && address.get('until') === null
  return (
    <Button
      size="xs"
      variant={on ? 'light' : 'default'}
      aria-pressed={on}
      disabled={closed === null}
      title={closed === null ? undefined : `${formatDay(closed)}, the day of the newest bar`}
      onClick={() => change({ since: on ? null : today, until: null })}
    >
      Today
      {closed !== null && today !== dayOf(Date.now()) && <small className={classes.day}>{formatDay(closed)}</small>}
    </Button>
  )
}
