import { Skeleton } from '@mantine/core'
import type { Explanation } from 'vivienne-client'
import { sameJson, useDecision, useInForce, useLimits } from '../agent.ts'
import { Explained, Summary } from './Explained.tsx'
import classes from './WhyPanel.module.css'
import { WhyThen } from './WhyThen.tsx'

interface WhyPanelProps {
  asset: string
  onField: (path: string) => void
}

/** Reasons for the decision on a bar of the past, or for the newest one. */
export function WhyPanel({ bar, onNewest, ...rest }: WhyPanelProps & { bar: string | null; onNewest: () => void }) {
  return bar === null ? <WhyNow {...rest} /> : <WhyThen {...rest} bar={bar} onNewest={onNewest} />
}

/** Reasons for the newest decision, and the nearest change. Renders on decisions, not on prices. */
function WhyNow({ asset, onField }: WhyPanelProps) {
  const explanation = useDecision(asset, (decision) => decision.explanation, sameJson)
  const stale = useDecision(asset, (decision) => decision.status === 'stale')
  return (
    <section className={`panel fresh ${classes.why}`} data-stale={stale || undefined} aria-label="Why">
      {explanation === undefined && <Skeleton height={120} mb="sm" />}
      {explanation === null && <Nothing asset={asset} />}
      {explanation && <ExplainedNow asset={asset} explanation={explanation} onField={onField} />}
    </section>
  )
}

function ExplainedNow({ asset, ...rest }: WhyPanelProps & { explanation: Explanation }) {
  const settings = useInForce(asset, (configuration) => configuration.settings, sameJson)
  return <Explained {...rest} settings={settings} limits={useLimits(asset)} />
}

/** There is no decision to explain; the status says why. */
function Nothing({ asset }: { asset: string }) {
  const reason = useDecision(asset, (decision) => decision.status_reason)
  const paused = useDecision(asset, (decision) => decision.status === 'paused')
  return (
    <div className={classes.summary}>
      <Summary text={`nothing is decided${reason ? `: ${reason}` : ''}`} />
      <p className={classes.nearest}>
        <span className={classes.said}>
          {paused
            ? `${asset} stays idle with size 0 until it is resumed. You can still change its configuration and preview changes.`
            : 'Signals and filters of the next decision are explained here.'}
        </span>
      </p>
    </div>
  )
}
