import { SegmentedControl, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { type KeyboardEvent, useDeferredValue, useMemo } from 'react'
import { useAddress, useAddressText } from '../app/address.ts'
import cards from './AssetCard.module.css'
import { AssetCard } from './AssetCard.tsx'
import { AssetTable } from './AssetTable.tsx'
import { Counts } from './Counts.tsx'
import { useCloses } from './closes.ts'
import { NoAssets, NoMatch } from './Nothing.tsx'
import classes from './OverviewPage.module.css'
import { useSteadyOrder } from './order.ts'
import { spanWords } from './span.ts'
import { byName, byUrgency } from './standing.ts'
import { useStandings } from './standings.ts'
import { Welcome } from './Welcome.tsx'

const ORDERS = ['urgency', 'name'] as const
/** So many fit as cards without scrolling on a large screen. */
const MOST_CARDS = 8
const FEW = 3

/** Every asset at a glance: is anything about to fire? */
export function OverviewPage() {
  const standings = useStandings()
  const { list } = useCloses()
  const [kind, setKind] = useAddress('order', ORDERS, 'urgency')
  const [text, setText] = useAddressText('filter')
  const sought = useDeferredValue(text.trim().toUpperCase())

  const wanted = useMemo(
    () => [...standings].sort(kind === 'name' ? byName : byUrgency).map(({ asset }) => asset),
    [standings, kind],
  )
  const { order, waits, handlers } = useSteadyOrder(wanted, kind)
  const assets = useMemo(() => order.filter((asset) => asset.toUpperCase().includes(sought)), [order, sought])
  const closes = useMemo(() => new Map(list?.assets.map(({ asset, closes }) => [asset, closes])), [list])
  const span = list === undefined ? '' : spanWords(list.assets[0]?.closes.length ?? 0, list.timeframe)

  return (
    <>
      <h1 className="unseen">Overview</h1>
      {standings.length > 0 && <Welcome />}
      <div className={classes.toolbar}>
        {standings.length > 0 && <Counts standings={standings} />}
        <p className={classes.waits} data-shown={waits || undefined}>
          {waits && 'The order is updated when you leave the list'}
        </p>
        <SegmentedControl
          size="xs"
          aria-label="Order"
          value={kind}
          onChange={(value) => setKind(value as (typeof ORDERS)[number])}
          data={[
            { value: 'urgency', label: 'Most urgent first' },
            { value: 'name', label: 'By name' },
          ]}
        />
        <TextInput
          className={classes.filter ?? ''}
          size="xs"
          type="search"
          aria-label="Filter assets by name"
          placeholder="Filter by name ( / )"
          leftSection={<IconSearch size={15} aria-hidden />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Escape' && (text === '' ? event.currentTarget.blur() : setText(''))}
          data-page-filter
        />
      </div>
      {standings.length === 0 ? (
        <NoAssets />
      ) : assets.length === 0 ? (
        <NoMatch text={text} clear={() => setText('')} />
      ) : (
        // biome-ignore lint/a11y/noStaticElementInteractions: the keys move between the links inside, which are interactive
        <div {...handlers} onKeyDown={moveBetweenAssets}>
          {standings.length <= MOST_CARDS ? (
            <ul className={cards.cards} data-few={standings.length <= FEW || undefined} aria-label="Assets">
              {assets.map((asset) => (
                <AssetCard key={asset} asset={asset} closes={closes.get(asset)} span={span} />
              ))}
            </ul>
          ) : (
            <AssetTable assets={assets} closes={closes} span={span} total={standings.length} />
          )}
        </div>
      )}
    </>
  )
}

/** Up and down go from asset to asset. */
function moveBetweenAssets(event: KeyboardEvent<HTMLElement>) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (step === undefined) return
  const links = [...event.currentTarget.querySelectorAll('[data-asset-link]')]
  const place = document.activeElement === null ? -1 : links.indexOf(document.activeElement)
  const next = links[place + step]
  if (place < 0 || !(next instanceof HTMLElement)) return
  event.preventDefault()
  next.focus()
}
