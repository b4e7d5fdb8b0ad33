import { useState } from 'react'
import { VivienneError, VivienneProblem } from 'vivienne-client'
import type { FailureProps } from './Failure.tsx'
import { madeChange, rememberMade } from './madeChange.ts'
import type { Proposal } from './proposal.ts'

/** Make the proposal; what goes wrong stays until the next attempt. */
export function useMaking(proposal: Proposal, onMade: () => void) {
  const [making, setMaking] = useState(false)
  const [failure, setFailure] = useState<FailureProps | null>(null)
  const [unsure, setUnsure] = useState<{ requestId: string; proposal: Proposal } | null>(null)

  const make = async (reason: string) => {
    setMaking(true)
    setFailure(null)
    const { layer, assets, version } = proposal
    try {
      const again = unsure !== null && isSame(unsure.proposal, proposal) ? { requestId: unsure.requestId } : {}
      const made = await proposal.make({ ...(reason.trim() && { reason: reason.trim() }), ...again })
      rememberMade(madeChange(proposal, made))
      onMade()
    } catch (error) {
      setFailure({ error, layer, ...(assets && { assets }), since: version })
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
  if (one.version !== other.version || one.assets?.join() !== other.assets?.join()) return false
  return JSON.stringify(one.document) === JSON.stringify(other.document)
}
