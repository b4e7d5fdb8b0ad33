import { useEffect } from 'react'
import type { ConfigDraft, Typed } from 'vivienne-client/draft'

/** What was typed and not saved, by layer and path: it outlives a look at another page. */
const unsaved = new Map<string | null, Map<string, Typed>>()

/** Puts back what was typed in this layer before the form was left, and remembers what is typed when it is left. */
export function useUnsaved(layer: string | null, draft: ConfigDraft): void {
  useEffect(() => {
    for (const [path, typed] of unsaved.get(layer) ?? []) {
      if (path in draft.getSnapshot().fields) draft.set(path, typed)
    }
    return () => {
      const edited = Object.values(draft.getSnapshot().fields).flatMap(({ path, typed }) =>
        typed === undefined ? [] : [[path, typed] as const],
      )
      unsaved.set(layer, new Map(edited))
    }
  }, [layer, draft])
}
