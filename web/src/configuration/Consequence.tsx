import { NativeSelect } from '@mantine/core'
import { useState } from 'react'
import { formatNumber } from '../parts/format.ts'
import { LEVELS } from '../parts/Level.tsx'
import { AssetEffects } from './AssetEffects.tsx'
import classes from './Consequence.module.css'
import { Examples } from './Examples.tsx'
import { LevelTable } from './LevelTable.tsx'
import { count } from './plural.ts'
import { type Effect, effectOf, totalOf } from './previewTotal.ts'
import { formatSpan, timeframeMinutes } from './reading.ts'
import { type AssetPreview, PREVIEW_BARS } from './verdict.ts'

const TOTAL = 'All of them'

/** Effect of a change on the last bars of the assets it affects: in total, of every asset, and of one in detail. */
export function Consequence({ previews }: { previews: readonly AssetPreview[] }) {
  const [chosen, setChosen] = useState<string | null>(null)
  const one = previews.length === 1 ? previews[0] : previews.find(({ asset }) => asset === chosen)
  return (
    <section className={classes.consequence} aria-label="Effect on past bars">
      <div className={classes.heading}>
        <h3>Effect on past bars</h3>
        {previews.length > 1 && (
          <NativeSelect
            size="xs"
            aria-label="Asset"
            data={[TOTAL, ...previews.map(({ asset }) => asset)]}
            value={one?.asset ?? TOTAL}
            onChange={({ currentTarget: { value } }) => setChosen(value === TOTAL ? null : value)}
          />
        )}
      </div>
      <div className={classes.answer} data-several={previews.length > 1 || undefined}>
        {one !== undefined ? <Single preview={one} /> : <Total previews={previews} choose={setChosen} />}
      </div>
    </section>
  )
}

function Single({ preview: { asset, data, error } }: { preview: AssetPreview }) {
  if (error !== null) return <p className={classes.calm}>{error.message}</p>
  if (data === undefined) return <Working words={`Deciding the last ${PREVIEW_BARS} bars of ${asset} again …`} />
  if (!data.valid) return <p className={classes.calm}>The change is not valid for {asset}.</p>
  const effect = effectOf(data)
  if (effect === null) return <p className={classes.calm}>{asset} has no decided bars yet.</p>
  const minutes = timeframeMinutes(data.timeframe)
  return (
    <>
      <Sentence effect={effect} of={asset} minutes={minutes} />
      <LevelTable now={effect.now} then={effect.after} />
      <Undecided effect={effect} />
      {data.different !== undefined && data.different.length > 0 && (
        <Examples different={data.different} of={effect.differing} />
      )}
    </>
  )
}

function Total({ previews, choose }: { previews: readonly AssetPreview[]; choose(asset: string): void }) {
  const effects = previews.flatMap(({ data }) => (data === undefined ? [] : (effectOf(data) ?? [])))
  const answered = previews.filter(({ data, error }) => data !== undefined || error !== null).length
  const total = totalOf(effects)
  return (
    <>
      {answered < previews.length ? (
        <Working words={`Deciding the last ${PREVIEW_BARS} bars again: ${answered} of ${previews.length} assets …`} />
      ) : (
        total !== null && <Sentence effect={total} of={`${previews.length} assets`} minutes={null} />
      )}
      {total !== null && <LevelTable now={total.now} then={total.after} />}
      <AssetEffects previews={previews} choose={choose} />
    </>
  )
}

function Working({ words }: { words: string }) {
  return (
    <p className={classes.calm} aria-busy="true">
      {words}
    </p>
  )
}

function Sentence({ effect, of, minutes }: { effect: Effect; of: string; minutes: number | null }) {
  const { compared, differing, now, after } = effect
  const isSame = [...LEVELS, 'held' as const, 'entries' as const].every((name) => now[name] === after[name])
  return (
    <p>
      <strong>{differing === 0 ? 'None' : formatNumber(differing, 9)}</strong> of the last {formatNumber(compared, 9)}{' '}
      decided {compared === 1 ? 'bar' : 'bars'}
      {minutes !== null && ` (${formatSpan(minutes * compared)})`} of {of} would have been decided otherwise
      {differing > 0 && isSame && ', with the same counts'}.
    </p>
  )
}

function Undecided({ effect: { bars, compared } }: { effect: Effect }) {
  if (compared >= bars) return null
  return (
    <p className={classes.calm}>
      {count(bars - compared, 'earlier bar')} cannot be decided, because too few bars precede them; they are not
      counted.
    </p>
  )
}
