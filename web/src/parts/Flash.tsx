import type { ReactNode } from 'react'

/** A figure that tints for a moment when it changes; it keeps its width. `value` is what is compared. */
export function Flash({ value, children, className }: { value: unknown; children: ReactNode; className?: string }) {
  return (
    <span key={String(value)} className={`figure flash ${className ?? ''}`}>
      {children}
    </span>
  )
}
