import type { AssetPreview, useVerdict } from './verdict.ts'

/** Whether the effect of a change has been seen, is being asked for, or did not come. */
export type Look = 'seen' | 'waiting' | 'failed'

export function lookOf(
  verdict: Pick<ReturnType<typeof useVerdict>, 'isError' | 'data'>,
  previews: readonly Pick<AssetPreview, 'data' | 'error'>[],
): Look {
  if (verdict.data?.valid === false) return 'seen'
  const open = previews.some(({ data, error }) => data === undefined && error === null)
  if (open || (verdict.data === undefined && !verdict.isError)) return 'waiting'
  return verdict.isError || previews.some(({ data }) => data === undefined) ? 'failed' : 'seen'
}
