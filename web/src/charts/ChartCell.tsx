import { ActionIcon, NativeSelect } from '@mantine/core'
import { IconArrowUpRight, IconX } from '@tabler/icons-react'
import { Link, useNavigate } from 'react-router'
import { sameJson, useDecision } from '../asset/agent.ts'
import chartClasses from '../asset/chart/AssetChart.module.css'
import type { ChartAddress, PaneId } from '../asset/chart/address.ts'
import { FullButton, MeasureButton } from '../asset/chart/ChartControls.tsx'
import { ChartStage } from '../asset/chart/ChartStage.tsx'
import { ReadingLine } from '../asset/chart/ReadingLine.tsx'
import { useChart } from '../asset/chart/useChart.ts'
import { useFull } from '../asset/chart/useFull.ts'
import { useHiddenLayers } from '../asset/chart/useHiddenLayers.ts'
import { fieldAddress } from '../overview/Blocker.tsx'
import { isHeld } from '../overview/standing.ts'
import { Level } from '../parts/Level.tsx'
import classes from './ChartCell.module.css'

const NO_PANES: readonly PaneId[] = []

interface ChartCellProps {
  asset: string
  /** All there are to choose from. */
  assets: readonly string[]
  address: ChartAddress
  range: number
  onAsset: (asset: string) => void
  /** Null while it is the only one. */
  onClose: (() => void) | null
}

/** One of several charts: whose it is, at which level, and the way to its page. */
export function ChartCell({ asset, assets, address, range, onAsset, onClose }: ChartCellProps) {
  const navigate = useNavigate()
  const [hidden] = useHiddenLayers()
  const { stage } = useChart(asset, address, range, address.panes ?? NO_PANES, hidden)
  const [full, toggleFull] = useFull()
  return (
    <li className={classes.cell}>
      <section
        className={`panel ${chartClasses.chart} ${classes.chart}`}
        aria-label={`Chart of ${asset}`}
        data-full={full || undefined}
      >
        <header className={classes.head}>
          <h2 className="unseen">{asset}</h2>
          <NativeSelect
            className={classes.asset ?? ''}
            size="xs"
            aria-label="Asset of this chart"
            value={asset}
            data={[...assets]}
            onChange={(event) => onAsset(event.currentTarget.value)}
          />
          <LevelNow asset={asset} />
          <span className={classes.tools}>
            <MeasureButton measuring={stage.measuring} onMeasuring={stage.onMeasuring} />
            <FullButton full={full} onFull={toggleFull} />
            <ActionIcon
              component={Link}
              to={`/assets/${encodeURIComponent(asset)}`}
              variant="subtle"
              color="gray"
              aria-label={`Open ${asset}`}
              title={`Open the page of ${asset}`}
            >
              <IconArrowUpRight size={17} aria-hidden />
            </ActionIcon>
            {onClose !== null && (
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={`Close the chart of ${asset}`}
                title={`Close the chart of ${asset}`}
                onClick={onClose}
              >
                <IconX size={17} aria-hidden />
              </ActionIcon>
            )}
          </span>
        </header>
        <div className={classes.reading}>
          <ReadingLine asset={asset} chart={stage.chart} look={stage.look} />
        </div>
        <ChartStage {...stage} onField={(path) => void navigate(fieldAddress(asset, path))} />
      </section>
    </li>
  )
}

function LevelNow({ asset }: { asset: string }) {
  const now = useDecision(
    asset,
    (decision) => ({
      level: decision.clarity_level,
      raw: decision.raw_clarity_level,
      held: isHeld(decision),
      paused: decision.status === 'paused',
    }),
    sameJson,
  )
  const stale = useDecision(asset, (decision) => decision.status === 'stale')
  return (
    <span className="fresh" data-stale={stale || undefined}>
      {now && <Level {...now} size="sm" />}
    </span>
  )
}
