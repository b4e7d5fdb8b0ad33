import { type ReactNode, useState } from 'react'

/** A figure that tints for a moment when it changes, not when it first appears. `value` is what is compared. */
export function Flash({
  value,
  children,
  className = '',
}: {
  value: unknown
  children: ReactNode
  className?: string
}) {
  const [seen, setSeen] = useState({ value, changes: 0 })
  if (!Object.is(seen.value, value)) setSeen({ value, changes: seen.changes + 1 })
  // Another key makes another element, which begins the animation anew.
  return (
    <span key={seen.changes} className={`figure ${seen.changes > 0 ? 'flash' : ''} ${className}`}>
      {children}
    </span>
  )
}
