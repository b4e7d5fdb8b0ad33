import { createContext, useContext } from 'react'
import type { ConfigDraft, FieldSpec } from 'vivienne-client/draft'

/** Context of the fields of one form. */
export interface Form {
  readonly draft: ConfigDraft
  /** The asset, or null for the layer under all assets. */
  readonly layer: string | null
  /** Every field by its path. */
  readonly specs: ReadonlyMap<string, FieldSpec>
  /** Length of the bars that are decided, such as `15m`; undefined while it is not known. */
  readonly timeframe: string | undefined
  /** Open the review, or go to what stands against it. */
  review(): void
  /** Propose that values are inherited again. */
  proposeReset(paths: readonly string[]): void
  /** Propose that the asset of the form sets what another one sets. */
  proposeCopy(source: string): void
}

export const FormContext = createContext<Form | null>(null)

export function useForm(): Form {
  const form = useContext(FormContext)
  if (form === null) throw new Error('A field of the configuration stands outside its form')
  return form
}
