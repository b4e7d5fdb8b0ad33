import { Loader, Modal } from '@mantine/core'
import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query'
import { leaves, type RevisionEntry, type VivienneClient } from 'vivienne-client'
import { defaultsOf, formSections } from 'vivienne-client/draft'
import { useVivienneClient } from 'vivienne-client/react'
import { schemaQuery } from '../configuration/fields.ts'
import { documentOf, type Proposal } from '../configuration/proposal.ts'
import { Review } from '../configuration/Review.tsx'
import { formatTime } from '../parts/format.ts'
import classes from './Comparison.module.css'

/** Asks whether a former version is to be in force again, with what that would change. */
export function RollBack({ entry, onClose, onMade }: { entry: RevisionEntry; onClose(): void; onMade(): void }) {
  const client = useVivienneClient()
  const queries = useQueryClient()
  const { data, error, refetch } = useQuery({
    queryKey: ['roll back', entry.config_id],
    queryFn: () => standing(client, queries, entry.asset_symbol),
    gcTime: 0,
    retry: false,
  })
  if (data === undefined) {
    return (
      <Modal opened onClose={onClose} title={`Roll back to version ${entry.version}`} transitionProps={{ duration: 0 }}>
        {error === null ? <Loader size="sm" /> : <p className={classes.calm}>{error.message}</p>}
      </Modal>
    )
  }
  const refresh = async () => void (await refetch({ throwOnError: true }))
  return <Review proposal={rollBackProposal(client, entry, data, refresh)} onClose={onClose} onMade={onMade} />
}

/** Values in force in a layer, and those that would be without it. */
interface Standing {
  readonly version: number
  readonly inForce: Record<string, unknown>
  readonly below: Record<string, unknown>
}

/** The schema is there with them: the review has titles from the beginning. */
async function standing({ rest }: VivienneClient, queries: QueryClient, layer: string | null): Promise<Standing> {
  const [own, schema, global] = await Promise.all([
    rest.active(layer),
    queries.fetchQuery(schemaQuery),
    layer === null ? null : rest.active(null),
  ])
  const below = global?.config ?? defaultsOf(formSections(schema))
  return { version: own.version, inForce: leaves(own.config), below: leaves(below) }
}

function rollBackProposal(
  client: VivienneClient,
  entry: RevisionEntry,
  { version, inForce, below }: Standing,
  refresh: () => Promise<void>,
): Proposal {
  const then = { ...below, ...leaves(entry.config) }
  const differences = Object.keys({ ...inForce, ...then })
    .filter((path) => inForce[path] !== then[path])
    .map((path) => ({ path, old: inForce[path], new: then[path] }))
  return {
    verb: 'Roll back',
    done: 'rolled back',
    note: `To version ${entry.version} by ${entry.author}, of ${formatTime(entry.created_at)}.`,
    layer: entry.asset_symbol,
    differences,
    document: documentOf(differences),
    version,
    make: (signature) => client.rest.activate(entry.config_id, { ...signature, expectedVersion: version }),
    refresh,
  }
}
