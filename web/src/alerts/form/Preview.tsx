import { Button, NativeSelect, Textarea } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { type AlertMessage, type AlertPreview, VivienneProblem } from 'vivienne-client'
import { alertFields } from 'vivienne-client/alerts'
import { useAssets } from 'vivienne-client/react'
import { alerts } from '../../client.ts'
import { failureWords } from '../../parts/failure.ts'
import { ChannelIcon } from '../ChannelIcon.tsx'
import { Unreal } from '../Unreal.tsx'
import { CHANNELS } from '../words.ts'
import { documentOf } from './draft.ts'
import { Fold } from './Fold.tsx'
import { useForm } from './FormContext.ts'
import classes from './Preview.module.css'
import { unfinished } from './unfinished.ts'

const WAIT_MS = 350
const LONGEST_TEXT = 1_000
/** Fields that are offered at once; the others are behind a fold. */
const USUAL = [
  'asset',
  'clarity_level',
  'side',
  'position_size',
  'signal_confidence',
  'price',
  'bar_time',
  'name',
  'market',
]

/** The text of the alerts, and what they would be at this moment for an asset of choice. */
export function Preview() {
  const { draft } = useForm()
  const assets = useAssets()
  const [chosen, setChosen] = useState('')
  const asset = assets.includes(chosen) ? chosen : (assets[0] ?? '')
  // What is typed goes out when the typing pauses.
  const [wanted] = useDebouncedValue(JSON.stringify(documentOf({ ...draft, name: draft.name || 'Preview' })), WAIT_MS)
  const missing = unfinished(draft)
  const { data, error, isPlaceholderData } = useQuery({
    queryKey: ['alert preview', wanted, asset],
    queryFn: ({ signal }) => alerts.preview(JSON.parse(wanted), asset || undefined, signal),
    enabled: missing === null,
    placeholderData: keepPreviousData,
    staleTime: 0,
    gcTime: 0,
    retry: false,
  })
  const mistake = useSettled(error, isPlaceholderData)
  return (
    <section className={`panel ${classes.preview}`} aria-label="Preview">
      <header className={classes.head}>
        <h2>Preview</h2>
        <NativeSelect
          size="xs"
          aria-label="Asset of the preview"
          value={asset}
          data={[...assets]}
          onChange={(event) => setChosen(event.currentTarget.value)}
        />
      </header>
      <div className={classes.now} aria-live="polite">
        {missing !== null ? (
          <Mistakes sentences={[missing]} />
        ) : mistake !== null ? (
          <Mistakes sentences={sentencesOf(mistake)} />
        ) : (
          <Now preview={data} />
        )}
      </div>
      <Text />
    </section>
  )
}

/** The last error, also while the next answer is awaited: the text before the mistake must not flash up in between. */
function useSettled(error: Error | null, isWaiting: boolean): Error | null {
  const [settled, setSettled] = useState(error)
  if (!isWaiting && settled !== error) setSettled(error)
  return isWaiting ? settled : error
}

/** What would be sent now. */
function Now({ preview }: { preview: AlertPreview | undefined }) {
  if (preview === undefined) return <p className={classes.text}>...</p>
  const { event, warnings, messages } = preview
  return (
    <>
      <p className={classes.text}>
        {event.text} <Unreal market={event.market} />
      </p>
      {warnings.map(({ message }) => (
        <p key={message} className={classes.warning}>
          {message}
        </p>
      ))}
      {messages.map((message) => (
        <Message key={message.channel} message={message} text={event.text} />
      ))}
    </>
  )
}

/** In the place of the text, which would be that of a rule without the mistake. */
function Mistakes({ sentences }: { sentences: readonly string[] }) {
  return (
    <div className={classes.text} data-mistake role="status">
      <strong>No preview</strong>
      {sentences.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
    </div>
  )
}

function sentencesOf(error: Error): readonly string[] {
  const problems = error instanceof VivienneProblem ? error.errors : []
  return problems.length === 0 ? [failureWords(error)] : [...new Set(problems.map(({ message }) => message))]
}

/** What one channel gets, where it is more than the text. */
function Message({ message, text }: { message: AlertMessage; text: string }) {
  const { type, title, body } = message
  if (title === undefined && body === undefined && (message.text ?? text) === text) return null
  return (
    <Fold
      className={classes.message}
      initially={false}
      summary={
        <>
          <ChannelIcon type={type} size={14} /> {CHANNELS[type].title} gets
        </>
      }
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by keyboard */}
      <pre tabIndex={0}>
        {body === undefined
          ? [title, message.text].filter(Boolean).join('\n\n')
          : typeof body === 'string'
            ? body
            : JSON.stringify(body, null, 2)}
      </pre>
    </Fold>
  )
}

/** The template of the text; fields are put in where the caret is. */
function Text() {
  const { draft, change, errorAt } = useForm()
  const field = useRef<HTMLTextAreaElement>(null)
  const insert = (name: string) => {
    const { selectionStart: from = draft.text.length, selectionEnd: to = from } = field.current ?? {}
    const written = `{{${name}}}`
    change({ text: draft.text.slice(0, from) + written + draft.text.slice(to) }, 'text')
    // Once the field has the new text.
    requestAnimationFrame(() => {
      field.current?.focus()
      field.current?.setSelectionRange(from + written.length, from + written.length)
    })
  }
  const others = Object.keys(alertFields).filter((name) => !USUAL.includes(name) && name !== 'text')
  return (
    <Fold
      className={classes.own}
      summary="Text of your own"
      initially={draft.text !== ''}
      forced={errorAt('text') !== undefined}
    >
      <Textarea
        ref={field}
        aria-label="Text"
        description="If empty, each event has its usual sentence. Fields in double braces get their values."
        inputWrapperOrder={['input', 'error', 'description']}
        placeholder="{{asset}} is at {{clarity_level}}, {{side}}, {{signal_confidence|percent}}"
        autosize
        minRows={3}
        maxRows={10}
        maxLength={LONGEST_TEXT}
        value={draft.text}
        error={errorAt('text')}
        onChange={(event) => change({ text: event.currentTarget.value }, 'text')}
      />
      <Fields names={USUAL} insert={insert} />
      <Fold className={classes.more} initially={false} summary="More fields, and filters">
        <Fields names={others} insert={insert} />
        <p className={classes.description}>
          Filters follow a bar: <code>{'{{signal_confidence|percent}}'}</code>, <code>{'{{price|round:2}}'}</code>,{' '}
          <code>{'{{side|upper}}'}</code>, <code>{'{{side|long=buy,short=sell,*=close}}'}</code>.
        </p>
      </Fold>
    </Fold>
  )
}

function Fields({ names, insert }: { names: readonly string[]; insert(name: string): void }) {
  return (
    <div className={classes.fields}>
      {names.map((name) => (
        <Button
          key={name}
          size="compact-xs"
          variant="default"
          title={alertFields[name]}
          aria-label={`Insert ${name}`}
          onClick={() => insert(name)}
        >
          {name}
        </Button>
      ))}
    </div>
  )
}
