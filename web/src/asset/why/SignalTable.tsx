import type { Settings, SignalExplanation } from 'vivienne-client'
import { formatConfidence, formatNumber, formatPercent, formatThreshold } from '../../parts/format.ts'
import { FieldButton } from './FieldButton.tsx'
import { formatFigure } from './measures.ts'
import classes from './SignalTable.module.css'

interface SignalTableProps {
  signals: readonly SignalExplanation[]
  settings: Settings | undefined
  limits: readonly number[]
  onField: (path: string) => void
}

const THRESHOLDS = ['loaded', 'aim', 'bang'] as const

/** Contribution of each signal: to the left for short, to the right for long; the last row is the sum. */
export function SignalTable({ signals, settings, limits, onField }: SignalTableProps) {
  const total = signals.reduce((sum, signal) => sum + signal.contribution, 0)
  return (
    <div className={classes.room}>
      <table className={classes.signals}>
        <caption>Signals</caption>
        <thead>
          <tr>
            <th scope="col">Signal</th>
            <th scope="col" className={classes.sides}>
              <span>
                ◀ <b>short</b>
              </span>
              <span>
                <b>long</b> ▶
              </span>
            </th>
            <th scope="col">Adds</th>
            <th scope="col">Strength</th>
            <th scope="col">Weight</th>
            <th scope="col">Reading</th>
          </tr>
        </thead>
        <tbody>
          {signals.map((signal) => (
            <tr key={signal.id} data-silent={signal.direction === 0 || undefined}>
              <th scope="row">{signal.title}</th>
              <td>
                <Bar part={signal.contribution} />
              </td>
              <td className="figure">{signal.direction === 0 ? 'no vote' : sided(signal.contribution)}</td>
              <td className="figure">{formatPercent(signal.strength, 3)}</td>
              <td>
                <FieldButton path={`signal_weights.${signal.id}`} onField={onField}>
                  {formatNumber(signal.weight, 3)}
                </FieldButton>
              </td>
              <td className={`figure ${classes.reading}`} title={signal.measure}>
                {signal.reading === null ? '-' : formatFigure(signal.unit, signal.reading)}{' '}
                <small>{signal.measure}</small>
              </td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">Confidence</th>
            <td>
              <Bar part={total} settings={settings} />
            </td>
            <td className="figure">{sided(total, limits)}</td>
          </tr>
          {settings && (
            <tr>
              <th scope="row">Thresholds</th>
              {/* As many columns as are there on a phone. */}
              <td colSpan={3}>
                <span className={classes.thresholds}>
                  {THRESHOLDS.map((level) => (
                    <span key={level} data-level={level}>
                      {level}{' '}
                      <FieldButton path={`settings.state_threshold_${level}`} onField={onField}>
                        {formatThreshold(settings[`state_threshold_${level}`])}
                      </FieldButton>
                    </span>
                  ))}
                </span>
              </td>
            </tr>
          )}
        </tfoot>
      </table>
    </div>
  )
}

/** A part of the confidence, -1 to 1, from the middle to its side; the thresholds as ticks on both. */
function Bar({ part, settings }: { part: number; settings?: Settings | undefined }) {
  const size = `${Math.min(1, Math.abs(part)) * 50}%`
  return (
    <span className={classes.bar} data-total={settings !== undefined || undefined} aria-hidden="true">
      {settings &&
        THRESHOLDS.flatMap((level) => {
          const away = settings[`state_threshold_${level}`] / 2
          return [50 - away, 50 + away].map((left) => (
            <i key={`${level} ${left}`} data-level={level} style={{ left: `${left}%` }} />
          ))
        })}
      <b data-side={part < 0 ? 'short' : 'long'} style={{ width: size, [part < 0 ? 'right' : 'left']: '50%' }} />
    </span>
  )
}

/** A part of the confidence, with its side in words. */
function sided(part: number, limits?: readonly number[]): string {
  const said = formatConfidence(Math.min(1, Math.abs(part)), limits)
  return part === 0 ? said : `${said} ${part < 0 ? 'short' : 'long'}`
}
