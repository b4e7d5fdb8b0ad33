import { type ReactNode, useState } from 'react'

interface FoldProps {
  summary: ReactNode
  className: string | undefined
  /** Open from the beginning. */
  initially: boolean
  /** Open in any case: something in it must be seen. */
  forced?: boolean
  children: ReactNode
}

/** Something rarely needed, behind its name; what is typed in it does not open or close it. */
export function Fold({ summary, className, initially, forced = false, children }: FoldProps) {
  const [open, setOpen] = useState(initially)
  return (
    <details className={className} open={open || forced} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{summary}</summary>
      {children}
    </details>
  )
}
