import { type ReactNode, useState } from 'react'

/** A figure that changes more often than this, in ms, would be tinted all the time; then its changes say nothing. */
const STILL_MS = 2_000

/**
 * A figure that tints for a moment when it changes after it stood still, not when it first appears.
 * `value` is what is compared.
 */
export function Flash({
  value,
  children,
  className = '',
}: {
  value: unknown
  children: ReactNode
  className?: string
}) {
  const [seen, setSeen] = useState({ value, at: 0, flashes: 0 })
  if (!Object.is(seen.value, value)) {
    const at = performance.now()
    setSeen({ value, at, flashes: at - seen.at < STILL_MS ? seen.flashes : seen.flashes + 1 })
  }
  // Another key creates another element, which restarts the animation.
  return (
    <span key={seen.flashes} className={`figure ${seen.flashes > 0 ? 'flash' : ''} ${className}`}>
      {children}
    </span>
  )
}
