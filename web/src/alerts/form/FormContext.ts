import { createContext, useContext } from 'react'
import type { ProblemEntry } from 'vivienne-client'
import type { Draft } from './draft.ts'
import { sentencesAt } from './problems.ts'

export interface Form {
  readonly draft: Draft
  /** What the server said is wrong, until the field is changed. */
  readonly problems: readonly ProblemEntry[]
  /** Changes values of the draft; what was said of these paths no longer holds. */
  change(values: Partial<Draft>, ...paths: readonly string[]): void
}

export const FormContext = createContext<Form | null>(null)

/** The form around a field. */
export function useForm(): Form & { errorAt(path: string): string | undefined } {
  const form = useContext(FormContext)
  if (form === null) throw new Error('A field of a rule stands in the form of a rule')
  return { ...form, errorAt: (path) => sentencesAt(form.problems, path) }
}
