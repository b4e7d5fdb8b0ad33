// @vitest-environment happy-dom
import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createVivienneClient, type InForce, leaves, type VivienneClient } from '../../src/index.js'
import { VivienneConfigForm } from '../../src/react/index.js'
import { acknowledged, inForce, schema } from '../draft/fixture.js'
import { provided, TestSocket } from './offline.js'

let client: VivienneClient
let sent: unknown[]
let present: InForce

/** A server that serves a schema of its own. */
const served: typeof fetch = async (input, init) => {
  const path = new URL(`${input}`).pathname.split('/').at(-1)
  if (path === 'schema') return Response.json(schema)
  if (path === 'active') return Response.json(present)
  const { asset_symbol, request_id, author, expected_version, ...document } = JSON.parse(`${init?.body}`)
  sent.push(document)
  present = inForce(leaves(document), 2)
  return Response.json(acknowledged(document))
}

beforeEach(() => {
  sent = []
  present = inForce()
  TestSocket.all = []
  client = createVivienneClient({ baseUrl: 'http://another.test', WebSocket: TestSocket as never, fetch: served })
})
afterEach(() => {
  cleanup()
  client.close()
})

describe('a form for a server with other sections and values', () => {
  beforeEach(async () => {
    render(<VivienneConfigForm />, { wrapper: provided(client) })
    await screen.findByLabelText('High')
  })

  it('has them, nested as they are served', () => {
    const execution = screen.getByRole('group', { name: 'Execution of orders' })
    const limits = within(within(execution).getByRole('group', { name: 'Slices' })).getByRole('group', {
      name: 'Limits',
    })
    expect(within(limits).getByLabelText('Most slices')).toMatchObject({
      type: 'number',
      value: '4',
      min: '1',
      max: '10',
    })
    expect(within(execution).getByLabelText('Kind of order').textContent).toBe('marketlimit')
    expect(screen.getAllByLabelText('Description')).toHaveLength(2)
  })

  it('sends what was changed there', async () => {
    fireEvent.change(screen.getByLabelText('Kind of order'), { target: { value: '1' } })
    fireEvent.change(screen.getByLabelText('Most slices'), { target: { value: '6' } })
    fireEvent.change(screen.getAllByLabelText('Description')[0] as HTMLElement, { target: { value: 'mine' } })
    fireEvent.click(screen.getByLabelText('Enabled'))
    fireEvent.click(screen.getByRole('button', { name: 'Save 4 changes' }))
    await vi.waitFor(() => expect(sent).toHaveLength(1))
    expect(leaves(sent[0] as object)).toEqual({
      'execution.kind': 'limit',
      'execution.slices.limits.most_slices': 6,
      'settings.description': 'mine',
      'settings.enabled': false,
    })
    await screen.findByText('Saved: version 2 is in force.')
  })

  it('leaves a number as it is written while it is on its way', () => {
    const cooldown = screen.getByLabelText<HTMLInputElement>('Cool-down')
    for (const text of ['1.5', '1.50', '1.500', '1.5005']) {
      fireEvent.change(cooldown, { target: { value: text } })
      expect(cooldown.value).toBe(text)
    }
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Save' }).disabled).toBe(false)
  })

  it('renders a field again only when there is something new to say about it', async () => {
    const texts = new Set<Node>()
    const observer = new MutationObserver((records) => {
      for (const { target } of records) texts.add(target)
    })
    observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true })
    act(() => void fireEvent.change(screen.getByLabelText('High'), { target: { value: '81' } }))
    await Promise.resolve()
    const touched = [...texts].map((node) => (node as Element).closest?.('[data-path]')?.getAttribute('data-path'))
    expect(new Set(touched.filter(Boolean))).toEqual(new Set(['settings.high']))
    observer.disconnect()
  })
})
