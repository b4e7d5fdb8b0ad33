import { type Switched, type SwitchResponse, type VivienneClient, VivienneProblem } from 'vivienne-client'

/** After so long without an answer over the stream, the pause is asked for in a request of its own too, in ms. */
const PATIENCE = 1_000

interface Wanted {
  readonly asset: string | null
  readonly reason?: string
  readonly author?: string
  readonly requestId?: string
}

/**
 * Pauses over the stream that is open anyway. A browser opens six connections to a server, for all its windows: while
 * other requests hang, one more waits. To pause twice does no harm.
 *
 * @throws what the request of its own throws, or the refusal of the server
 */
export async function pauseSoon(
  { connection, rest }: Pick<VivienneClient, 'connection' | 'rest'>,
  { asset, reason, author, requestId }: Wanted,
): Promise<Switched | SwitchResponse> {
  const alone = () => rest.pause({ asset, ...(reason && { reason }), ...(requestId && { requestId }) })
  if (connection.getSnapshot().state !== 'live') return alone()
  const overStream = connection.request({
    type: 'pause',
    asset,
    ...(reason && { reason }),
    ...(author && { author }),
    ...(requestId && { request_id: requestId }),
  }) as Promise<SwitchResponse>
  if (!(await settled(overStream)))
    return Promise.any([overStream, alone()]).catch(({ errors }) => Promise.reject(errors[1]))
  return overStream.catch((error) => (error instanceof VivienneProblem ? Promise.reject(error) : alone()))
}

/** Waits for an outcome, and not for longer than a moment. True if there is one. */
async function settled(outcome: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), PATIENCE)
  })
  const done = outcome.then(
    () => true,
    () => true,
  )
  const first = await Promise.race([done, late])
  clearTimeout(timer)
  return first
}
