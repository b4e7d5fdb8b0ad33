import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { expect, test, vi } from 'vitest'
import { type ConnectionState, VivienneProblem, VivienneUnreachable } from 'vivienne-client'
import { askAgainWhenLive } from './reconnecting.ts'

test('what could not be read is asked for again once the connection is live, and what was refused is not', async () => {
  let tell: (state: ConnectionState) => void = () => {}
  const queries = new QueryClient()
  const end = askAgainWhenLive(
    {
      connection: {
        on: (_, listener) => {
          tell = (state) => listener({ state })
          return () => {}
        },
      },
    },
    queries,
  )
  const lost = vi.fn().mockRejectedValueOnce(new VivienneUnreachable('')).mockResolvedValue('there')
  const refused = vi
    .fn()
    .mockRejectedValue(new VivienneProblem({ status: 404, code: 'not_found', title: '', detail: '', errors: [] }))
  const followed = [lost, refused].map((queryFn, place) =>
    new QueryObserver(queries, { queryKey: [place], queryFn, retry: false }).subscribe(() => {}),
  )
  await vi.waitFor(() => expect(queries.getQueryState([1])?.status).toBe('error'))
  tell('offline')
  tell('live')
  await vi.waitFor(() => expect(queries.getQueryData([0])).toBe('there'))
  // Each message says that it is live still.
  tell('live')
  expect([lost.mock.calls.length, refused.mock.calls.length]).toEqual([2, 1])
  for (const leave of followed) leave()
  end()
})
