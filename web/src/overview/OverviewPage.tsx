import { Button, NativeSelect, TextInput } from '@mantine/core'
import { IconChartCandle, IconSearch } from '@tabler/icons-react'
import { type KeyboardEvent, useMemo } from 'react'
import { Link } from 'react-router'
import cards from './AssetCard.module.css'
import { AssetCard } from './AssetCard.tsx'
import { AssetTable } from './AssetTable.tsx'
import { HolderCounts, LevelCounts } from './Counts.tsx'
import { useCloses } from './closes.ts'
import { ORDER_NAMES, ORDERS, type Order } from './filtering.ts'
import { NoAssets, NoMatch } from './Nothing.tsx'
import classes from './OverviewPage.module.css'
import { spanOfCloses } from './span.ts'
import { useStandings } from './standings.ts'
import { useOverview } from './useOverview.ts'
import { Welcome } from './Welcome.tsx'

/** So many fit as cards without scrolling on a large screen. */
const MOST_CARDS = 8
const FEW = 3

/** Every asset at a glance: is anything about to fire? */
export function OverviewPage() {
  const standings = useStandings()
  const { list } = useCloses()
  const { assets, waits, handlers, filter, filtered, toggle, clear, order, text } = useOverview(standings)
  const closes = useMemo(() => new Map(list?.assets.map(({ asset, closes }) => [asset, closes])), [list])
  const span = list === undefined ? '' : spanOfCloses(list.assets, list.timeframe)

  return (
    <>
      <h1 className="unseen">Overview</h1>
      {standings.length > 0 && <Welcome />}
      <div className={classes.toolbar}>
        {standings.length > 0 && <LevelCounts standings={standings} filter={filter} toggle={toggle} />}
        <p className={classes.waits} data-shown={waits || undefined}>
          {waits && 'The order is updated when you leave the list'}
        </p>
        <Finding assets={assets} order={order} text={text} />
      </div>
      {standings.length > 0 && (
        <div className={classes.second}>
          <HolderCounts standings={standings} filter={filter} toggle={toggle} />
          <p className={classes.shown} role="status">
            {filtered && `${assets.length} of ${standings.length} shown`}
          </p>
          {filtered && (
            <Button size="compact-xs" variant="default" onClick={clear}>
              Show all
            </Button>
          )}
        </div>
      )}
      {standings.length === 0 ? (
        <NoAssets />
      ) : assets.length === 0 ? (
        <NoMatch text={text[0]} clear={clear} />
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

interface FindingProps extends Pick<ReturnType<typeof useOverview>, 'order' | 'text'> {
  assets: readonly string[]
}

/** Order, filter by name, and the way to the charts of the first assets shown. */
function Finding({ assets, order: [order, setOrder], text: [text, setText] }: FindingProps) {
  return (
    <>
      <Button
        component={Link}
        to={chartsAddress(assets)}
        size="xs"
        variant="default"
        leftSection={<IconChartCandle size={15} aria-hidden />}
        title="Charts of the first assets shown, side by side"
      >
        Charts
      </Button>
      <NativeSelect
        className={classes.order ?? ''}
        size="xs"
        aria-label="Order"
        value={order}
        onChange={(event) => setOrder(event.currentTarget.value as Order)}
        data={ORDER_NAMES.map((name) => ({ value: name, label: ORDERS[name].title }))}
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
    </>
  )
}

/** Charts of the first four. */
function chartsAddress(assets: readonly string[]): string {
  const names = assets.slice(0, 4).map(encodeURIComponent).join(',')
  return names === '' ? '/charts' : `/charts?assets=${names}`
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
