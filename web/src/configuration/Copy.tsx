import { Loader, Modal } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { leaves, type VivienneClient } from 'vivienne-client'
import { useVivienneClient } from 'vivienne-client/react'
import { documentOf, madeForSeveral, type Proposal } from './proposal.ts'
import { Review } from './Review.tsx'

interface CopyProps {
  /** Whose values are copied. */
  source: string
  /** The asset that gets them. */
  asset: string
  onClose(): void
}

/** Asks whether an asset is to set what another one sets, with what that would change. */
export function Copy({ source, asset, onClose }: CopyProps) {
  const client = useVivienneClient()
  const { data, error, refetch } = useQuery({
    queryKey: ['copy', source, asset],
    queryFn: async ({ signal }) => {
      const [from, to] = await Promise.all([client.rest.active(source, signal), client.rest.active(asset, signal)])
      return { version: Math.max(from.version, to.version), after: leaves(from.config), now: leaves(to.config) }
    },
    gcTime: 0,
    retry: false,
  })
  if (data === undefined) {
    return (
      <Modal opened onClose={onClose} title={`Copy ${source} to ${asset}`} transitionProps={{ duration: 0 }}>
        {error === null ? <Loader size="sm" /> : <p>{error.message}</p>}
      </Modal>
    )
  }
  const refresh = async () => void (await refetch({ throwOnError: true }))
  return <Review proposal={copyProposal(client, { source, asset, ...data, refresh })} onClose={onClose} />
}

interface Copied {
  readonly source: string
  readonly asset: string
  readonly version: number
  /** Values in force for the asset, and for the source, whose values it gets: both inherit the same. */
  readonly now: Record<string, unknown>
  readonly after: Record<string, unknown>
  refresh(): Promise<void>
}

function copyProposal(client: VivienneClient, copied: Copied): Proposal {
  const { source, asset, version, now, after, refresh } = copied
  const differences = Object.keys({ ...now, ...after })
    .filter((path) => now[path] !== after[path])
    .map((path) => ({ path, old: now[path], new: after[path] }))
  return {
    verb: 'Copy',
    done: 'copied',
    note: `${asset} sets afterwards what ${source} sets itself, and nothing else.`,
    layer: asset,
    differences,
    document: documentOf(differences),
    version,
    async make(signature) {
      const made = await client.rest.several([asset], { copy_from: source }, { ...signature, expectedVersion: version })
      return madeForSeveral(made, differences)
    },
    refresh,
  }
}
