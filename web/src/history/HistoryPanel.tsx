import { Button, Skeleton, VisuallyHidden } from '@mantine/core'
import { useCallback, useMemo, useRef, useState } from 'react'
import { Link, useSearchParams } from 'react-router'
import type { RevisionEntry } from 'vivienne-client'
import failure from '../configuration/Failure.module.css'
import { Comparison } from './Comparison.tsx'
import classes from './HistoryPanel.module.css'
import { Revision } from './Revision.tsx'
import { RollBack } from './RollBack.tsx'
import { useCalmList } from './useCalmList.ts'
import { useRevisions } from './useRevisions.ts'
import { layerWords } from './words.ts'

interface HistoryPanelProps {
  /** An asset with inherited changes, null for the layer under all assets, undefined for everything. */
  layer?: string | null | undefined
  channel?: string
  author?: string
  /** Shown above it; without one only screen readers are told what this is. */
  title?: string
}

/** Changes, newest first, with author, time and reason; two can be compared, and any restored. */
export function HistoryPanel({ layer, channel, author, title }: HistoryPanelProps) {
  const list = useRef<HTMLOListElement>(null)
  const filter = { layer, ...(channel === undefined ? {} : { channel }), ...(author === undefined ? {} : { author }) }
  const { entries, loaded, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage } = useRevisions(filter)
  const { shown, waiting, catchUp, expectOne } = useCalmList(list, entries)
  const comparison = useComparison()
  const [former, setFormer] = useState<RevisionEntry | null>(null)
  const targets = useMemo(() => new Map(loaded.map((entry) => [entry.config_id, entry.version])), [loaded])
  if (isPending && error === null) return <Loading />
  return (
    <div className={classes.history}>
      {waiting > 0 && (
        <div className={classes.news}>
          <Button size="compact-sm" onClick={catchUp}>
            {waiting} new {waiting === 1 ? 'change' : 'changes'}
          </Button>
        </div>
      )}
      {title === undefined ? (
        <VisuallyHidden component="h2">Changes</VisuallyHidden>
      ) : (
        <h2 className={classes.title}>{title}</h2>
      )}
      <div className={classes.bar}>
        <span role="status">{shown.length > 1 && chosenWords(comparison.chosen)}</span>
        {comparison.chosen.length === 2 && (
          <Button size="compact-xs" variant="default" onClick={comparison.open}>
            Compare {Math.min(...comparison.chosen)} and {Math.max(...comparison.chosen)}
          </Button>
        )}
      </div>
      {error !== null && (
        <div className={failure.failure} data-kind="calm" role="status">
          <strong>The history could not be loaded</strong>
          <p>{error.message}</p>
        </div>
      )}
      {shown.length > 0 ? (
        <ol className={classes.list} ref={list}>
          {shown.map((entry) => (
            <Revision
              key={entry.version}
              entry={entry}
              target={entry.target === null ? undefined : targets.get(entry.target)}
              chosen={comparison.chosen.includes(entry.version)}
              onChoose={comparison.choose}
              onRollBack={setFormer}
            />
          ))}
        </ol>
      ) : (
        error === null && <Empty layer={layer} filtered={loaded.length > 0 && layer !== null} />
      )}
      {hasNextPage && (
        <Button
          className={classes.older ?? ''}
          size="xs"
          variant="default"
          loading={isFetchingNextPage}
          onClick={() => fetchNextPage()}
        >
          Show older changes
        </Button>
      )}
      {comparison.opened !== null && (
        <Comparison versions={comparison.opened} loaded={loaded} onClose={comparison.close} />
      )}
      {former !== null && <RollBack entry={former} onClose={() => setFormer(null)} onMade={expectOne} />}
    </div>
  )
}

/** Which versions are chosen, and the comparison the address asks for: `compare=41,42`. */
function useComparison() {
  const [address, setAddress] = useSearchParams()
  const opened = pairOf(address.get('compare'))
  const [chosen, setChosen] = useState<readonly number[]>(opened ?? [])
  const choose = useCallback(({ version }: RevisionEntry) => {
    // A third one takes the place of the one chosen first.
    setChosen((before) =>
      before.includes(version) ? before.filter((each) => each !== version) : [...before, version].slice(-2),
    )
  }, [])
  const show = (pair: string | null) =>
    setAddress(
      (before) => {
        const after = new URLSearchParams(before)
        pair === null ? after.delete('compare') : after.set('compare', pair)
        return after
      },
      { replace: true },
    )
  return { chosen, choose, opened, open: () => show(chosen.join(',')), close: () => show(null) }
}

function pairOf(text: string | null): readonly [number, number] | null {
  const found = /^(\d{1,15}),(\d{1,15})$/.exec(text ?? '')
  return found ? [Number(found[1]), Number(found[2])] : null
}

function chosenWords(chosen: readonly number[]): string {
  if (chosen.length === 1) return `Version ${chosen[0]} selected; select another one to compare`
  return chosen.length === 0 ? 'Select two to compare' : ''
}

function Empty({ layer, filtered }: { layer: string | null | undefined; filtered: boolean }) {
  if (filtered) return <p className={classes.empty}>No change matches. Widen the filter above.</p>
  const where = layer ? `/configuration?asset=${encodeURIComponent(layer)}` : '/configuration'
  return (
    <div className={classes.empty}>
      <p>
        <strong>Nothing has been changed{layer === undefined ? '' : ` for ${layerWords(layer)}`} yet.</strong> Every
        value is as Vivienne comes.
      </p>
      <p>
        Change a number in the <Link to={where}>configuration</Link>, try the bang threshold. It is listed here with
        who, when and why, and one click takes it back.
      </p>
    </div>
  )
}

function Loading() {
  return (
    <div role="status" aria-busy="true" aria-label="Loading the history">
      {[1, 2, 3, 4].map((row) => (
        <Skeleton key={row} height={96} mb={8} />
      ))}
    </div>
  )
}
