import type { BarRecord } from 'vivienne-client'
import { formatBarTime, formatConfidence, formatPrice, formatVolume } from '../../parts/format.ts'
import { Level } from '../../parts/Level.tsx'
import { Side } from '../../parts/Side.tsx'
import { ticks } from '../../parts/ticks.ts'
import { barLength } from '../chart/bars.ts'
import { isDecided, statusWords } from '../chart/decisions.ts'
import { SOURCE_HINTS, SOURCE_WORDS, unusual } from '../chart/sources.ts'
import classes from './WhyUnknown.module.css'

interface WhyUnknownProps {
  /** A moment within the bar. */
  bar: string
  known: BarRecord
}

type Bar = NonNullable<BarRecord['bar']>

/** A bar of which no decision is known: why, and what is known of it nevertheless. */
export function WhyUnknown({ bar, known: { asset, timeframe, undecided, bar: found } }: WhyUnknownProps) {
  const isThere = found !== null && Date.parse(bar) - Date.parse(found.time) < barLength(timeframe)
  return (
    <div className={classes.unknown}>
      <h2>No decision is known</h2>
      {undecided !== null && <p role="status">{withLocalTimes(undecided)}.</p>}
      {found === null ? (
        <p className={classes.quiet}>No bar is known at that time or before it.</p>
      ) : isThere ? (
        <Known asset={asset} bar={found} />
      ) : (
        <p className={classes.quiet}>
          The newest bar before it, {formatBarTime(found.time)}, closed at{' '}
          <span className="figure">{formatPrice(found.close, ticks.digits(asset))}</span>.
        </p>
      )}
    </div>
  )
}

/** What the market did on the bar, and what the present configuration makes of it. */
function Known({ asset, bar: found }: { asset: string; bar: Bar }) {
  const digits = ticks.digits(asset)
  const source = unusual({ ...found, recomputed: false })
  return (
    <dl className={classes.known}>
      <dt>Prices</dt>
      <dd className="figure">
        {(['open', 'high', 'low', 'close'] as const).map((name) => (
          <span key={name}>
            <small>{name}</small> {formatPrice(found[name], digits)}
          </span>
        ))}
        {found.volume !== null && (
          <span>
            <small>volume</small> {formatVolume(found.volume)}
          </span>
        )}
      </dd>
      {source !== null && (
        <>
          <dt>{SOURCE_WORDS[source]}</dt>
          <dd>{SOURCE_HINTS[source]}</dd>
        </>
      )}
      {found.recomputed && <Recomputed bar={found} />}
    </dl>
  )
}

function Recomputed({ bar }: { bar: Bar }) {
  return (
    <>
      <dt>Recomputed</dt>
      <dd>
        {isDecided(bar) ? (
          <span className={classes.recomputed}>
            <Level level={bar.clarity_level} raw={bar.raw_clarity_level} held={bar.held} paused={false} size="sm" />
            <Side side={bar.side} />
            <span className="figure">{formatConfidence(bar.signal_confidence)}</span>
            <small>with the configuration now in force; nobody acted on it</small>
          </span>
        ) : (
          `With the configuration now in force it is ${statusWords(bar) ?? 'not decided'}.`
        )}
      </dd>
    </>
  )
}

/** A sentence of the server with its times in the zone of the viewer. */
export function withLocalTimes(sentence: string): string {
  return sentence.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, (time) => formatBarTime(time))
}
