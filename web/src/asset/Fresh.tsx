import type { ReactNode } from 'react'
import { useDecision } from './agent.ts'

/** Figures of an asset: greyed when nothing is connected, and when the asset itself is stale. */
export function Fresh({
  asset,
  className = '',
  children,
}: {
  asset: string
  className?: string | undefined
  children?: ReactNode
}) {
  const stale = useDecision(asset, (decision) => decision.status === 'stale')
  return (
    <div className={`fresh ${className}`} data-stale={stale || undefined}>
      {children}
    </div>
  )
}
