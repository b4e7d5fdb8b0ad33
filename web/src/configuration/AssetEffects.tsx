import { LEVELS } from '../parts/Level.tsx'
import classes from './AssetEffects.module.css'
import { type Effect, effectOf } from './previewTotal.ts'
import type { AssetPreview } from './verdict.ts'

const SHOWN = [...LEVELS].reverse().filter((level) => level !== 'idle')

/** Every asset in a line: bars that would be decided otherwise, and the levels before and after. */
export function AssetEffects({ previews, choose }: { previews: readonly AssetPreview[]; choose(asset: string): void }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by keyboard
    <section className={classes.scroll} aria-label="Effect by asset" tabIndex={0}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">Asset</th>
            <th scope="col">Otherwise</th>
            {SHOWN.map((level) => (
              <th key={level} scope="col">
                {level}
              </th>
            ))}
            <th scope="col">held</th>
          </tr>
        </thead>
        <tbody>
          {previews.map((preview) => (
            <tr key={preview.asset}>
              <th scope="row">
                <button type="button" onClick={() => choose(preview.asset)} title="Show it alone, with examples">
                  {preview.asset}
                </button>
              </th>
              <Cells preview={preview} />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Cells({ preview: { data, error } }: { preview: AssetPreview }) {
  const effect = data === undefined ? null : effectOf(data)
  if (effect === null) return <td colSpan={SHOWN.length + 2}>{stateWords(data !== undefined, data?.valid, error)}</td>
  return (
    <>
      <td className="figure" data-same={effect.differing === 0 || undefined}>
        {effect.differing === 0 ? 'none' : effect.differing}
      </td>
      {[...SHOWN, 'held' as const].map((name) => (
        <Change key={name} effect={effect} name={name} />
      ))}
    </>
  )
}

function stateWords(isThere: boolean, valid: boolean | undefined, error: Error | null): string {
  if (error !== null) return 'did not come'
  if (!isThere) return '…'
  return valid === false ? 'not valid for it' : 'no decided bars yet'
}

function Change({
  effect: { now, after },
  name,
}: {
  effect: Effect
  name: 'bang' | 'aim' | 'loaded' | 'held' | 'idle'
}) {
  const same = now[name] === after[name]
  return (
    <td className="figure" data-same={same || undefined}>
      {same ? now[name] : `${now[name]} → ${after[name]}`}
    </td>
  )
}
