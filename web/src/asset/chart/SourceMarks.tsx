import type { ChartBar } from 'vivienne-client'
import classes from './Legend.module.css'
import { SOURCE_HINTS, SOURCE_WORDS, type Unusual, unusual } from './sources.ts'

const SHOWN: readonly Unusual[] = ['filled', 'incomplete']

/** Names the marks at bars that were not streamed, and how many there are; nothing where all were. */
export function SourceMarks({ bars }: { bars: readonly ChartBar[] }) {
  return SHOWN.map((source) => {
    const count = bars.filter((bar) => unusual(bar) === source).length
    if (count === 0) return null
    return (
      <li key={source} className={classes.layer} title={SOURCE_HINTS[source]}>
        <SourceMark source={source} />
        <span>
          {SOURCE_WORDS[source]}: <span className="figure">{count}</span>
        </span>
      </li>
    )
  })
}

/** The mark as the chart draws it. */
export function SourceMark({ source }: { source: Unusual }) {
  return (
    <svg className={classes.mark} viewBox="0 0 12 12" aria-hidden="true">
      <path d={source === 'filled' ? 'M3 3h6v6H3z' : 'M3 3l6 6M3 9l6-6'} />
    </svg>
  )
}
