import { type FormEvent, type ReactNode, useCallback, useId, useState } from 'react'
import type { SectionSpec } from '../draft/sections.js'
import type { Signature } from '../draft/session.js'
import type { ConfigDraft, DraftSnapshot } from '../draft/snapshot.js'
import { ConfigField } from './config_field.js'
import { useConfigDraft } from './use_config_draft.js'

/** Props of {@link VivienneConfigForm}. */
export interface VivienneConfigFormProps {
  /** In any case; null for the layer under all assets. `BTC` if left out. */
  readonly assetSymbol?: string | null
  /** Author of the changes, for the history. */
  readonly author?: string
  readonly className?: string
}

/**
 * A form for everything that can be changed, made from the schema the server serves. Only what was changed is sent;
 * Enter saves, Esc reverts the focused field. Plain HTML, to be styled by its classes.
 */
export function VivienneConfigForm({ assetSymbol = 'BTC', ...props }: VivienneConfigFormProps): ReactNode {
  const asset = assetSymbol?.toUpperCase() ?? null
  return <LayerForm key={asset === null ? 'all assets' : `asset ${asset}`} asset={asset} {...props} />
}

interface LayerFormProps {
  readonly asset: string | null
  readonly author?: string
  readonly className?: string
}

function LayerForm({ asset, author, className = 'vivienne-form' }: LayerFormProps): ReactNode {
  const { draft, snapshot, sections, error, save, reset, saving } = useConfigDraft(asset)
  const [reason, setReason] = useState('')
  const [done, setDone] = useState<Done | null>(null)
  const reasonId = useId()

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    const answer = await save(signed(reason, author))
    if (answer === null) return
    setReason('')
    setDone({ word: 'Saved', version: answer.version })
  }
  const resetField = useCallback(
    async (path: string) => {
      // What goes wrong is in `error`.
      const answer = await reset([path], signed('', author)).catch(() => null)
      if (answer !== null) setDone({ word: 'Reset', version: answer.version })
    },
    [reset, author],
  )

  const problems = snapshot === null || sections === null ? [] : elsewhere(snapshot, sections)
  return (
    <form
      className={className}
      aria-label={`Configuration of ${asset ?? 'all assets'}`}
      aria-busy={saving}
      noValidate
      onSubmit={submit}
    >
      {draft !== null && snapshot !== null && (
        <>
          {sections?.map((section) => (
            <Section
              key={section.path}
              section={section}
              draft={draft}
              snapshot={snapshot}
              asset={asset}
              onReset={resetField}
            />
          ))}
          {problems.map((message) => (
            <p key={message} className="vivienne-error" role="alert">
              {message}
            </p>
          ))}
          <label htmlFor={reasonId}>Reason</label>
          <input
            id={reasonId}
            type="text"
            maxLength={1000}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
          <button type="submit" disabled={!snapshot.savable || saving}>
            {snapshot.changed.length > 1 ? `Save ${snapshot.changed.length} changes` : 'Save'}
          </button>
          <button type="button" disabled={!snapshot.dirty} onClick={() => draft.revertAll()}>
            Take back all changes
          </button>
        </>
      )}
      {error !== null && (
        <p className="vivienne-error" role="alert">
          {error}
        </p>
      )}
      <p className="vivienne-status" role="status">
        {standing(snapshot, saving, done, error)}
      </p>
    </form>
  )
}

/** The last change made here. */
interface Done {
  readonly word: string
  readonly version: number
}

function standing(snapshot: DraftSnapshot | null, saving: boolean, done: Done | null, error: string | null): string {
  if (saving) return 'Saving…'
  if (snapshot === null) return error === null ? 'Loading the configuration…' : 'No configuration to show yet.'
  if (done !== null && done.version === snapshot.version) return `${done.word}: version ${done.version} is in force.`
  return `Version ${snapshot.version} is in force.`
}

function signed(reason: string, author: string | undefined): Signature {
  const why = reason.trim()
  return { ...(why === '' ? {} : { reason: why }), ...(author === undefined ? {} : { author }) }
}

interface SectionProps {
  readonly section: SectionSpec
  readonly draft: ConfigDraft
  readonly snapshot: DraftSnapshot
  readonly asset: string | null
  readonly onReset: (path: string) => void
}

function Section({ section, ...rest }: SectionProps): ReactNode {
  const { draft, snapshot, asset, onReset } = rest
  const wrong = snapshot.problems.filter(({ path }) => path === section.path && path !== '')
  return (
    <fieldset className="vivienne-section" data-path={section.path}>
      <legend>{section.title}</legend>
      {section.description !== '' && <p>{section.description}</p>}
      {wrong.map(({ message }) => (
        <p key={message} className="vivienne-error" role="alert">
          {message}
        </p>
      ))}
      {section.fields.map((spec) => {
        const field = snapshot.fields[spec.path]
        return (
          field !== undefined && (
            <ConfigField key={spec.path} spec={spec} field={field} draft={draft} asset={asset} onReset={onReset} />
          )
        )
      })}
      {section.sections.map((inner) => (
        <Section key={inner.path} section={inner} {...rest} />
      ))}
    </fieldset>
  )
}

/** Problems that belong to no field or section. */
function elsewhere({ fields, problems }: DraftSnapshot, sections: readonly SectionSpec[]): string[] {
  const paths = new Set(pathsOf(sections))
  return [
    ...new Set(problems.filter(({ path }) => !(path in fields) && !paths.has(path)).map(({ message }) => message)),
  ]
}

function pathsOf(sections: readonly SectionSpec[]): string[] {
  return sections.flatMap(({ path, sections: inner }) => [...(path === '' ? [] : [path]), ...pathsOf(inner)])
}
