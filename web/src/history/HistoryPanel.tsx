import { Button, Skeleton, VisuallyHidden } from '@mantine/core'
import { useCallback, useMemo, useRef, useState } from 'react'
import { Link, useSearchParams } from 'react-router'
import type { RevisionEntry } from 'vivienne-client'
import failure from '../configuration/Failure.module.css'
import { failureWords } from '../parts/failure.ts'
import { useCalmList } from '../parts/useCalmList.ts'
import { isOfAlert } from './alertWords.ts'
import { Comparison } from './Comparison.tsx'
import { isNarrowed, type RevisionFilter } from './filter.ts'
import classes from './HistoryPanel.module.css'
import { Revision } from './Revision.tsx'
import { RollBack } from './RollBack.tsx'
import { undoable } from './together.ts'
import { useRevisions } from './useRevisions.ts'
import { layerWords } from './words.ts'

interface HistoryPanelProps {
  filter: RevisionFilter
  /** Shown above it; without one only screen readers are told what this is. */
  title?: string
}

const versionOf = (entry: RevisionEntry) => entry.version
const ORDER = { orderOf: versionOf, keyOf: versionOf }

/** Changes, newest first, with author, time and reason; two can be compared, and any restored. */
export function HistoryPanel({ filter, title }: HistoryPanelProps) {
  const list = useRef<HTMLOListElement>(null)
  const {
    entries,
    of,
    lookedBackTo,
    error,
    isPending,
    isPlaceholderData,
    hasNextPage,
    isFetchingNextPage,
    fetchNextPage,
  } = useRevisions(filter)
  const { shown, waiting, catchUp, expectOne } = useCalmList(list, entries, { of, ...ORDER })
  const comparison = useComparison()
  const [former, setFormer] = useState<RevisionEntry | null>(null)
  const targets = useMemo(() => new Map(entries.map((entry) => [entry.config_id, entry.version])), [entries])
  const inForce = useMemo(
    () =>
      new Map(
        entries.flatMap((entry) => (entry.is_active && !isOfAlert(entry) ? [[entry.asset_symbol, entry.version]] : [])),
      ),
    [entries],
  )
  const isWhole = !isNarrowed(filter) && filter.layer === undefined
  const together = useMemo(() => undoable(entries, isWhole, hasNextPage), [entries, isWhole, hasNextPage])
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
      {shown.length > 1 && <ComparisonBar {...comparison} />}
      {error !== null && (
        <div className={failure.failure} data-kind="calm" role="status">
          <strong>The history could not be loaded</strong>
          <p>{failureWords(error)}</p>
        </div>
      )}
      {shown.length > 0 ? (
        <ol className={classes.list} ref={list} data-old={isPlaceholderData || undefined}>
          {shown.map((entry) => (
            <Revision
              key={entry.version}
              entry={entry}
              target={entry.target === null ? undefined : targets.get(entry.target)}
              together={together.get(entry.version)}
              asset={filter.layer ?? undefined}
              chosen={comparison.chosen.includes(entry.version)}
              inForce={inForce.get(entry.asset_symbol)}
              onChoose={comparison.choose}
              onCompare={comparison.open}
              onRollBack={setFormer}
              onUndo={expectOne}
            />
          ))}
        </ol>
      ) : (
        error === null && !hasNextPage && <Empty filter={filter} />
      )}
      {hasNextPage && (
        <Button
          className={classes.older ?? ''}
          size="xs"
          variant="default"
          loading={isFetchingNextPage}
          onClick={() => fetchNextPage()}
        >
          {isNarrowed(filter) ? `Look further back than version ${lookedBackTo}` : 'Show older changes'}
        </Button>
      )}
      {comparison.opened !== null && (
        <Comparison versions={comparison.opened} loaded={entries} onClose={comparison.close} />
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
  const show = useCallback(
    (pair: string | null) =>
      setAddress(
        (before) => {
          const after = new URLSearchParams(before)
          pair === null ? after.delete('compare') : after.set('compare', pair)
          return after
        },
        { replace: true },
      ),
    [setAddress],
  )
  const open = useCallback(
    (one: number, other: number) => show(`${Math.min(one, other)},${Math.max(one, other)}`),
    [show],
  )
  return { chosen, choose, clear: () => setChosen([]), opened, open, close: () => show(null) }
}

function pairOf(text: string | null): readonly [number, number] | null {
  const found = /^(\d{1,15}),(\d{1,15})$/.exec(text ?? '')
  return found ? [Number(found[1]), Number(found[2])] : null
}

interface ComparisonBarProps {
  chosen: readonly number[]
  clear(): void
  open(one: number, other: number): void
}

/** How far the choice of two versions is; always in sight above the list. */
function ComparisonBar({ chosen, clear, open }: ComparisonBarProps) {
  const [first, second] = [...chosen].sort((one, other) => one - other)
  return (
    <div className={classes.bar} data-chosen={chosen.length > 0 || undefined}>
      <span role="status">
        {first === undefined
          ? 'Tick two versions to compare them'
          : second === undefined
            ? `Version ${first}, compared with … tick another one`
            : `Version ${first} with version ${second}`}
      </span>
      {first !== undefined && (
        <Button size="compact-xs" variant="subtle" onClick={clear}>
          Clear
        </Button>
      )}
      <Button
        size="compact-xs"
        disabled={first === undefined || second === undefined}
        onClick={() => first !== undefined && second !== undefined && open(first, second)}
      >
        {first === undefined || second === undefined ? 'Compare' : `Compare ${first} and ${second}`}
      </Button>
    </div>
  )
}

function Empty({ filter }: { filter: RevisionFilter }) {
  const { layer } = filter
  if (isNarrowed(filter)) return <p className={classes.empty}>No change matches. Widen the filter above.</p>
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
