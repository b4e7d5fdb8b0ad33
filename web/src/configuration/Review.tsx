import { Button, Modal, TextInput } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { type FormEvent, useState } from 'react'
import { useAssets } from 'vivienne-client/react'
import { useWhyNot } from '../signin/roles.ts'
import { Author } from './Author.tsx'
import { Consequence } from './Consequence.tsx'
import { Differences } from './Differences.tsx'
import { Failure } from './Failure.tsx'
import { lookOf } from './look.ts'
import { useMaking } from './making.ts'
import { count } from './plural.ts'
import { type Proposal, whomWords } from './proposal.ts'
import { Reach } from './Reach.tsx'
import classes from './Review.module.css'
import { useConnected } from './useConnected.ts'
import { useFocusReturn } from './useFocusReturn.ts'
import { usePreviews, useVerdict } from './verdict.ts'
import { Waiting } from './Waiting.tsx'
import { useAccepted, Warnings } from './Warnings.tsx'
import { WhichAssets } from './WhichAssets.tsx'

interface ReviewProps {
  proposal: Proposal
  /** Reason why it cannot be saved now, as a sentence; null if it can. */
  against?: string | null
  onClose(): void
  /** It was made; the review closes next. */
  onMade?(): void
}

/** Review of a change: values, affected assets, effect on past bars, reason. Enter saves, Esc closes. */
export function Review({ proposal: given, against = null, onClose, onMade }: ReviewProps) {
  const narrow = useMediaQuery('(max-width: 48em)') ?? false
  useFocusReturn()
  const [chosen, setChosen] = useState<readonly string[]>([])
  const proposal = chosen.length > 0 ? (given.forAssets?.(chosen) ?? given) : given
  return (
    <Modal
      opened
      onClose={onClose}
      title={`${proposal.verb}: ${count(proposal.differences.length, 'change')} for ${whomWords(proposal)}`}
      fullScreen={narrow}
      size="min(46rem, 94vw)"
      transitionProps={{ duration: 0 }}
      classNames={{ title: classes.title ?? '', body: classes.body ?? '', content: classes.content ?? '' }}
      closeButtonProps={{ 'aria-label': 'Close the review' }}
    >
      <ReviewForm
        proposal={proposal}
        against={against}
        onClose={onClose}
        which={given.forAssets && <WhichAssets layer={given.layer} chosen={chosen} choose={setChosen} />}
        onMade={() => {
          onMade?.()
          onClose()
        }}
      />
    </Modal>
  )
}

interface ReviewFormProps extends ReviewProps {
  /** Choice of the assets it is for. */
  which: React.ReactNode
  onMade(): void
}

function ReviewForm({ proposal, against = null, which, onClose, onMade }: ReviewFormProps) {
  const assets = useAssets()
  const verdict = useVerdict(proposal)
  const targets = proposal.assets ?? (proposal.layer === null ? (verdict.data?.assets ?? assets) : [proposal.layer])
  const { previews, again } = usePreviews(proposal, targets)
  const offline = !useConnected()
  const { make, making, failure } = useMaking(proposal, onMade)
  const [reason, setReason] = useState('')
  const nothing = proposal.differences.length === 0
  const refused = verdict.data?.valid === false && failure === null
  const waitsFor = nothing ? 'These values are in force already.' : against
  const whyNot = useWhyNot('tuner')
  const warnings = verdict.data?.warnings ?? []
  const [accepted, accept] = useAccepted(warnings)
  const free = waitsFor === null && !offline && !refused && whyNot === null && accepted
  const look = nothing ? 'seen' : lookOf(verdict, previews)
  const able = free && look === 'seen'

  const save = () => {
    if (free && !making) void make(reason)
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (able) save()
  }
  return (
    <form onSubmit={submit} className={classes.form}>
      {failure !== null && <Failure {...failure} />}
      {refused && (
        <Failure error={{ errors: verdict.data?.errors ?? [] }} layer={proposal.layer} since={proposal.version} />
      )}
      {proposal.note !== undefined && <p className={classes.reach}>{proposal.note}</p>}
      <Differences proposal={proposal} />
      <Reach proposal={proposal} verdict={verdict.data} failed={verdict.isError} />
      {which}
      {whyNot === null && <Warnings warnings={warnings} accepted={accepted} onAccept={accept} />}
      {!nothing && !refused && previews.length > 0 && <Consequence previews={previews} />}
      <div className={classes.end}>
        {whyNot === null && <Signing reason={reason} setReason={setReason} />}
        {[whyNot, waitsFor, offline ? OFFLINE : null].map(
          (words) =>
            words !== null && (
              <p key={words} className={classes.waits}>
                {words}
              </p>
            ),
        )}
        {whyNot === null && (
          <Waiting
            look={look}
            previews={previews}
            error={verdict.error}
            save={free ? save : undefined}
            again={() => {
              if (verdict.isError) void verdict.refetch()
              again()
            }}
          />
        )}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Back <Key name="Esc" />
          </Button>
          {whyNot === null && (
            <Button type="submit" loading={making} disabled={!able}>
              {proposal.verb} <Key name="Enter" />
            </Button>
          )}
        </div>
      </div>
    </form>
  )
}

const OFFLINE =
  'The server is not connected, so you cannot save now. Your input is kept; saving works again as soon as it is back.'

/** Reason and author, as the history keeps them. */
function Signing({ reason, setReason }: { reason: string; setReason(reason: string): void }) {
  return (
    <>
      <TextInput
        label="Reason"
        description="Optional; kept in the history."
        placeholder="fewer, better entries"
        maxLength={500}
        data-autofocus
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <Author />
    </>
  )
}

/** The key that presses a button, beside its name. */
function Key({ name }: { name: string }) {
  return (
    <kbd className={classes.key} aria-hidden>
      {name}
    </kbd>
  )
}
