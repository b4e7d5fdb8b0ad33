import { Button, Modal, TextInput } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { type FormEvent, useState } from 'react'
import { VivienneError, VivienneProblem } from 'vivienne-client'
import { useVivienneClient } from 'vivienne-client/react'
import { useWhyNot } from '../signin/roles.ts'
import { Author } from './Author.tsx'
import { Consequence } from './Consequence.tsx'
import { Differences } from './Differences.tsx'
import { Failure, type FailureProps } from './Failure.tsx'
import { madeChange, ownConfiguration, rememberMade } from './madeChange.ts'
import { count } from './plural.ts'
import type { Proposal } from './proposal.ts'
import { Reach } from './Reach.tsx'
import classes from './Review.module.css'
import { useConnected } from './useConnected.ts'
import { useFocusReturn } from './useFocusReturn.ts'
import { useVerdict } from './verdict.ts'
import { useAccepted, Warnings } from './Warnings.tsx'

interface ReviewProps {
  proposal: Proposal
  /** Reason why it cannot be saved now, as a sentence; null if it can. */
  against?: string | null
  onClose(): void
  /** It was made; the review closes next. */
  onMade?(): void
}

/** Review of a change: values, affected assets, effect on past bars, reason. Enter saves, Esc closes. */
export function Review({ proposal, against = null, onClose, onMade }: ReviewProps) {
  const narrow = useMediaQuery('(max-width: 48em)') ?? false
  useFocusReturn()
  const whom = proposal.layer ?? 'all assets'
  const title = `${proposal.verb}: ${count(proposal.differences.length, 'change')} for ${whom}`
  return (
    <Modal
      opened
      onClose={onClose}
      title={title}
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
        onMade={() => {
          onMade?.()
          onClose()
        }}
      />
    </Modal>
  )
}

function ReviewForm({ proposal, against = null, onClose, onMade }: ReviewProps & { onMade(): void }) {
  const verdict = useVerdict(proposal)
  const offline = !useConnected()
  const { make, making, failure } = useMaking(proposal, onMade)
  const [reason, setReason] = useState('')
  const nothing = proposal.differences.length === 0
  const refused = verdict.data?.valid === false && failure === null
  const waitsFor = nothing ? 'These values are in force already.' : against
  const whyNot = useWhyNot('tuner')
  const warnings = verdict.data?.warnings ?? []
  const [accepted, accept] = useAccepted(warnings)
  const able = waitsFor === null && !offline && !refused && whyNot === null && accepted

  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (able && !making) void make(reason)
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
      {verdict.data?.valid === true && <Consequence proposal={proposal} reached={verdict.data.assets ?? []} />}
      {whyNot === null && <Warnings warnings={warnings} accepted={accepted} onAccept={accept} />}
      <div className={classes.end}>
        {whyNot === null ? (
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
        ) : (
          <p className={classes.waits}>{whyNot}</p>
        )}
        {waitsFor !== null && <p className={classes.waits}>{waitsFor}</p>}
        {offline && (
          <p className={classes.waits}>
            The server is not connected, so you cannot save now. Your input is kept; saving works again as soon as it is
            back.
          </p>
        )}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Back <kbd className={classes.key}>Esc</kbd>
          </Button>
          {whyNot === null && (
            <Button type="submit" loading={making} disabled={!able}>
              {proposal.verb} <kbd className={classes.key}>Enter</kbd>
            </Button>
          )}
        </div>
      </div>
    </form>
  )
}

/** Make the proposal; what goes wrong stays until the next attempt. */
function useMaking(proposal: Proposal, onMade: () => void) {
  const client = useVivienneClient()
  const [making, setMaking] = useState(false)
  const [failure, setFailure] = useState<FailureProps | null>(null)
  const [unsure, setUnsure] = useState<{ requestId: string; proposal: Proposal } | null>(null)

  const make = async (reason: string) => {
    setMaking(true)
    setFailure(null)
    const { layer, version, done } = proposal
    try {
      const before = await ownConfiguration(client, layer, version)
      const again = unsure !== null && isSame(unsure.proposal, proposal) ? { requestId: unsure.requestId } : {}
      const made = await proposal.make({ ...(reason.trim() && { reason: reason.trim() }), ...again })
      rememberMade(madeChange(layer, done, made, before))
      onMade()
    } catch (error) {
      setFailure({ error, layer, since: version })
      const open = error instanceof VivienneError && !(error instanceof VivienneProblem) ? error.requestId : undefined
      setUnsure(open === undefined ? null : { requestId: open, proposal })
      if (error instanceof VivienneProblem && error.code === 'version_conflict')
        await proposal.refresh().catch(() => {})
    } finally {
      setMaking(false)
    }
  }
  return { make, making, failure }
}

function isSame(one: Proposal, other: Proposal): boolean {
  return one.version === other.version && JSON.stringify(one.document) === JSON.stringify(other.document)
}
