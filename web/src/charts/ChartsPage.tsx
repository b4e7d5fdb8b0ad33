import { Button, UnstyledButton } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useSearchParams } from 'react-router'
import { useAssets } from 'vivienne-client/react'
import { useChangedAddress } from '../app/address.ts'
import { PageSkeleton } from '../app/PageSkeleton.tsx'
import { type ChartAddress, PANES, useChartAddress } from '../asset/chart/address.ts'
import { LogarithmicButton, TimeframeSelect } from '../asset/chart/ChartControls.tsx'
import { PANE_WORDS } from '../asset/chart/paneWords.ts'
import { RangeButtons } from '../asset/chart/RangeButtons.tsx'
import { CLOSES } from '../overview/closes.ts'
import { assetsQuery } from '../queries.ts'
import { ChartCell } from './ChartCell.tsx'
import classes from './ChartsPage.module.css'
import { chosenAssets, chosenText, LEAST, MOST, withChosen } from './chosen.ts'

const RANGE = 100

/** Two to six charts side by side, with one zoom, range and scale for all of them. */
export function ChartsPage() {
  const arrived = useAssets()
  const listed = useQuery(assetsQuery(CLOSES))
  const assets = listed.data?.assets.map((entry) => entry.asset) ?? (listed.isError ? arrived : [])
  const [search] = useSearchParams()
  const change = useChangedAddress()
  const address = useChartAddress()
  if (assets.length === 0) return <PageSkeleton />

  const chosen = chosenAssets(search.get('assets'), assets)
  const choose = (next: readonly string[]) => change({ assets: chosenText(next) })
  const more = assets.find((name) => !chosen.includes(name))
  return (
    <div className={classes.page}>
      <h1 className="unseen">Charts</h1>
      <div className={classes.toolbar}>
        <Settings address={address} timeframe={listed.data?.timeframe} />
        {more !== undefined && chosen.length < MOST && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={() => choose([...chosen, more])}
          >
            Add a chart
          </Button>
        )}
        {address.look !== null && (
          <p className={classes.looking}>
            Candles of {address.look} are for looking. Decisions are made on {listed.data?.timeframe}.
          </p>
        )}
      </div>
      <ul className={classes.grid} data-count={chosen.length} aria-label="Charts">
        {chosen.map((asset, place) => (
          <ChartCell
            key={asset}
            asset={asset}
            assets={assets}
            address={address}
            range={address.range ?? RANGE}
            onAsset={(next) => choose(withChosen(chosen, place, next))}
            onClose={chosen.length > LEAST ? () => choose(chosen.filter((other) => other !== asset)) : null}
          />
        ))}
      </ul>
    </div>
  )
}

/** Settings of all charts. */
function Settings({ address, timeframe }: { address: ChartAddress; timeframe: string | undefined }) {
  const panes = address.panes ?? []
  return (
    <>
      <RangeButtons range={address.range ?? RANGE} onRange={address.setRange} />
      <TimeframeSelect address={address} decided={timeframe} />
      <LogarithmicButton address={address} />
      {address.look === null &&
        PANES.map((pane) => (
          <UnstyledButton
            key={pane}
            className={classes.pane}
            aria-pressed={panes.includes(pane)}
            title={`Pane ${PANE_WORDS[pane]} below the candles`}
            onClick={() => address.togglePane(pane, panes)}
          >
            {PANE_WORDS[pane]}
          </UnstyledButton>
        ))}
    </>
  )
}
