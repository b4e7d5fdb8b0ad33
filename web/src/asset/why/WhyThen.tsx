import { Button, Skeleton } from '@mantine/core'
import { IconArrowForwardUp } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'
import type { DecisionOutcome, DecisionRecord } from 'vivienne-client'
import { changeAddress } from '../../history/change/address.ts'
import { failureWords, isLost } from '../../parts/failure.ts'
import { formatBarTime, formatBarUtc, formatChange, formatConfidence, formatSize } from '../../parts/format.ts'
import { Level } from '../../parts/Level.tsx'
import { limitsIn } from '../../parts/limits.ts'
import { Side } from '../../parts/Side.tsx'
import { hasDecision, STATUS_WORDS } from '../../parts/words.ts'
import { barQuery } from '../../queries.ts'
import { Explained } from './Explained.tsx'
import { worthNaming } from './named.ts'
import { ThenContext } from './then.ts'
import classes from './WhyPanel.module.css'
import { WhyUnknown } from './WhyUnknown.tsx'

interface WhyThenProps {
  asset: string
  bar: string
  onField: (path: string) => void
  onNewest: () => void
}

/** Reasons for the decision on a bar of the past, as it was, with the version that was in force then. */
export function WhyThen({ asset, bar, onField, onNewest }: WhyThenProps) {
  const { data: found, error, refetch } = useQuery(barQuery(asset, bar))
  const data = found?.decision ?? undefined
  return (
    <section className={`panel ${classes.why}`} data-then aria-label={`Why, ${formatBarTime(bar)}`}>
      <div className={classes.then}>
        <strong className="figure" title={formatBarUtc(bar)}>
          {formatBarTime(bar)}
        </strong>
        {data !== undefined && <Decided record={data} />}
        <Button
          size="compact-xs"
          variant="default"
          className={classes.now ?? ''}
          leftSection={<IconArrowForwardUp size={14} aria-hidden />}
          onClick={onNewest}
        >
          Back to the newest
        </Button>
      </div>
      {error !== null ? (
        <div className={classes.missing} role="status">
          <p>{failureWords(error)}</p>
          {isLost(error) && (
            <Button size="compact-sm" variant="default" onClick={() => refetch()}>
              Try again
            </Button>
          )}
        </div>
      ) : found === undefined ? (
        <Skeleton height={120} mb="sm" />
      ) : data === undefined ? (
        <WhyUnknown bar={bar} known={found} />
      ) : data.explanation === null || data.config === null ? (
        <p className={classes.missing}>{data.unexplained}</p>
      ) : (
        <ThenContext value={{ asset, config: data.config }}>
          <Outcome outcome={data.outcome} side={data.decision.side} />
          {data.is_reproduced === false && (
            <p className={classes.missing} role="alert">
              Decided anew, this bar gives something else than what was recorded. `vivienne verify` names the fields.
            </p>
          )}
          <Explained
            explanation={data.explanation}
            settings={data.config.settings}
            limits={limitsIn(data.config.settings, data.explanation)}
            named={worthNaming(data.decision.held, data.explanation.nearest_change, data.nearest_changes)}
            onField={onField}
          />
        </ThenContext>
      )}
    </section>
  )
}

const HORIZONS = [
  ['return_1', '1 bar'],
  ['return_4', '4 bars'],
  ['return_16', '16 bars'],
  ['return_96', '96 bars'],
] as const

/** What came of the decision, as far as bars have closed since. One decision alone proves nothing. */
function Outcome({ outcome, side }: { outcome: DecisionOutcome; side: DecisionRecord['decision']['side'] }) {
  if (side === 'none') return null
  const known = HORIZONS.filter(([name]) => outcome[name] !== null)
  return (
    <p className={classes.outcome} title="From the open of the next bar, in the direction of its side, before costs">
      What came of it:{' '}
      {known.length === 0
        ? 'no bar has closed since'
        : known.map(([name, words], place) => (
            <span key={name} className="figure">
              {place > 0 && ' · '}
              <strong>{formatChange((outcome[name] ?? 0) / 100)}</strong> after {words}
            </span>
          ))}
    </p>
  )
}

/** What was decided, and with which version. */
function Decided({ record: { decision, config, explanation } }: { record: DecisionRecord }) {
  const { status, held, side, position_size: size, config_version: version, asset } = decision
  const effective = hasDecision(decision)
  return (
    <>
      <Level
        level={decision.clarity_level}
        raw={decision.raw_clarity_level}
        held={held}
        paused={status === 'paused'}
        size="sm"
      />
      <Side side={side} />
      <span className="figure">
        {formatConfidence(decision.signal_confidence, config === null ? [] : limitsIn(config.settings, explanation))}
      </span>
      <span className="figure">{formatSize(size)}</span>
      {!effective && <span>{STATUS_WORDS[status]}: without effect</span>}
      <Link to={changeAddress(version, asset)} className={classes.version ?? ''}>
        version {version}
      </Link>
    </>
  )
}
