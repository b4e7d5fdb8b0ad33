import { Skeleton } from '@mantine/core'
import { lazy, type ReactNode, Suspense, useMemo, useRef, useState } from 'react'
import { type ConfigDraft, type DraftSnapshot, fieldsOf, type SectionSpec } from 'vivienne-client/draft'
import { useConfigDraft, useVivienneClient } from 'vivienne-client/react'
import { loaded } from '../app/code.ts'
import { ChangesBar } from './ChangesBar.tsx'
import classes from './ConfigurationPanel.module.css'
import { useClosedSections } from './closedSections.ts'
import failure from './Failure.module.css'
import { type Form, FormContext } from './FormContext.ts'
import { useTimeframe } from './fields.ts'
import { LastChange } from './LastChange.tsx'
import { PanelHead } from './PanelHead.tsx'
import { type Proposal, resetProposal, saveProposal } from './proposal.ts'
import { Section } from './Section.tsx'
import { Toolbar } from './Toolbar.tsx'
import { useCalledField } from './useCalledField.ts'
import { useShownFields } from './useShownFields.ts'
import { useUnsaved } from './useUnsaved.ts'

const Review = lazy(async () => ({ default: (await loaded(() => import('./Review.tsx'))).Review }))
const Copy = lazy(async () => ({ default: (await loaded(() => import('./Copy.tsx'))).Copy }))

interface ConfigurationPanelProps {
  /** An asset, or null for the layer under all assets. */
  layer: string | null
  /** Path of a value to open and focus. */
  field?: string | null
}

/** The form of one layer: everything that can be tuned, as the server describes it. */
export function ConfigurationPanel({ layer, field = null }: ConfigurationPanelProps) {
  // What is typed belongs to a layer: another layer is another form.
  return <LayerPanel key={layer} layer={layer} field={field} />
}

function LayerPanel({ layer, field }: Required<ConfigurationPanelProps>) {
  const { draft, snapshot, sections, error } = useConfigDraft(layer)
  if (draft === null || snapshot === null || sections === null || snapshot.version === null) {
    return error === null ? <Loading /> : <NotLoaded error={error} />
  }
  return (
    <>
      {error !== null && <NotLoaded error={error} />}
      <LoadedPanel layer={layer} field={field} draft={draft} snapshot={snapshot} sections={sections} />
    </>
  )
}

interface LoadedPanelProps extends Required<ConfigurationPanelProps> {
  draft: ConfigDraft
  snapshot: DraftSnapshot
  sections: readonly SectionSpec[]
}

function LoadedPanel({ layer, field, draft, snapshot, sections }: LoadedPanelProps) {
  const root = useRef<HTMLDivElement>(null)
  const timeframe = useTimeframe(layer)
  const { closed, set: setOpen } = useClosedSections()
  const shown = useShownFields(sections, snapshot)
  const call = useCalledField(root, field, (paths) => {
    shown.showAll()
    setOpen(paths, true)
  })
  const { proposal, against, review, proposeReset, close } = useProposal(layer, draft, snapshot, sections, call)
  useUnsaved(layer, draft)
  const specs = useMemo(() => new Map(fieldsOf(sections).map((spec) => [spec.path, spec])), [sections])
  const [copied, setCopied] = useState<string | null>(null)
  const form = useMemo<Form>(
    () => ({ draft, layer, specs, timeframe, review, proposeReset, proposeCopy: setCopied }),
    [draft, layer, specs, timeframe, review, proposeReset],
  )
  // What a search finds is open, whatever was closed before.
  const folded = shown.search === '' ? closed : NONE
  return (
    <FormContext value={form}>
      <div className={classes.panel} ref={root}>
        <PanelHead snapshot={snapshot} />
        <LastChange layer={layer} version={snapshot.version} />
        <Elsewhere snapshot={snapshot} />
        <Toolbar {...shown.toolbar} />
        {shown.appeared > 0 && (
          <button type="button" className={classes.appeared} onClick={shown.refresh}>
            {shown.appeared} more {shown.appeared === 1 ? 'differs' : 'differ'} now: show
          </button>
        )}
        <div>
          {shown.sections.map((section) => (
            <Section
              key={section.path}
              section={section}
              fields={snapshot.fields}
              closed={folded}
              setOpen={(path, open) => setOpen([path], open)}
            />
          ))}
          {shown.sections.length === 0 && <Nothing search={shown.search} onAll={shown.showAll} />}
        </div>
        <ChangesBar snapshot={snapshot} />
        {proposal !== null && (
          <Suspense>
            <Review proposal={proposal} against={against} onClose={close} />
          </Suspense>
        )}
        {copied !== null && layer !== null && (
          <Suspense>
            <Copy source={copied} asset={layer} onClose={() => setCopied(null)} />
          </Suspense>
        )}
      </div>
    </FormContext>
  )
}

const NONE: ReadonlySet<string> = new Set()

/** Proposal under review. That of typed values follows the draft and the configuration in force. */
function useProposal(
  layer: string | null,
  draft: ConfigDraft,
  snapshot: DraftSnapshot,
  sections: readonly SectionSpec[],
  call: (path: string) => void,
) {
  const client = useVivienneClient()
  const [reviewed, setReviewed] = useState<'typed' | readonly string[] | null>(null)
  const drafted = { client, layer, draft, snapshot, sections }
  let proposal: Proposal | null = null
  if (reviewed !== null) proposal = reviewed === 'typed' ? saveProposal(drafted) : resetProposal(drafted, reviewed)
  const actions = useMemo(
    () => ({
      review: () => {
        const { savable, problems, conflicts, fields } = draft.getSnapshot()
        const first = [...problems.map((problem) => problem.path), ...conflicts].find((path) => path in fields)
        if (savable) setReviewed('typed')
        else if (first !== undefined) call(first)
      },
      proposeReset: (paths: readonly string[]) => setReviewed(paths),
      close: () => setReviewed(null),
    }),
    [draft, call],
  )
  const undecided = reviewed === 'typed' && snapshot.conflicts.length > 0
  const against = undecided
    ? 'A value you edited has been changed elsewhere. Go back and choose the value to keep.'
    : null
  return { proposal, against, ...actions }
}

/** Problems that belong to no field of this form. */
function Elsewhere({ snapshot }: { snapshot: DraftSnapshot }) {
  const lost = snapshot.problems.filter((problem) => !(problem.path in snapshot.fields))
  if (lost.length === 0) return null
  return (
    <div className={failure.failure} role="alert">
      <strong>The changes cannot be saved</strong>
      <ul>
        {lost.map(({ path, message }) => (
          <li key={`${path} ${message}`}>{message}</li>
        ))}
      </ul>
    </div>
  )
}

function Nothing({ search, onAll }: { search: string; onAll(): void }): ReactNode {
  return (
    <p className={classes.nothing}>
      {search === '' ? 'Every value has its default. ' : `No value matches “${search}”. `}
      <button type="button" onClick={onAll}>
        Show all values
      </button>
    </p>
  )
}

function NotLoaded({ error }: { error: string }) {
  return (
    <div className={failure.failure} data-kind="calm" role="status">
      <strong>The configuration could not be loaded</strong>
      <p>{error}. It is tried again every few seconds; what you typed is kept.</p>
    </div>
  )
}

function Loading() {
  return (
    <div aria-busy="true" role="status" aria-label="Loading the configuration">
      {[1, 2, 3, 4, 5, 6].map((row) => (
        <Skeleton key={row} height={44} mb={10} />
      ))}
    </div>
  )
}
