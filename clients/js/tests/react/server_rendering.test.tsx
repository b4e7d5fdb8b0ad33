import { renderToString } from 'react-dom/server'
import { afterEach, expect, it, vi } from 'vitest'
import { createVivienneClient } from '../../src/index.js'
import {
  useAssets,
  useConfigCache,
  useConfigDraft,
  useConfigHistory,
  useConnection,
  useVivienneConfig,
  useVivienneLogs,
  useVivienneState,
  useWebSocketConnection,
  VivienneConfigForm,
  VivienneConfigMonitor,
  VivienneProvider,
} from '../../src/react/index.js'

afterEach(() => vi.restoreAllMocks())

function Everything() {
  const said = [
    useVivienneState('BTC')?.asset,
    useVivienneState('BTC', (state) => ({ seq: state?.seq })).seq,
    useAssets().length,
    useConnection().state,
    useVivienneConfig().config,
    useConfigHistory('BTC').loading,
    useConfigDraft('BTC').draft,
    useConfigCache().getCachedConfig('BTC'),
    useVivienneLogs().records.length,
    useWebSocketConnection('ws://vivienne.test/ws/state').isConnected,
  ]
  return <p>{JSON.stringify(said)}</p>
}

it('on a server everything is rendered as it is before the first message, and nothing is connected or asked', () => {
  const error = vi.spyOn(console, 'error').mockImplementation(() => {})
  const touched = vi.fn(() => {
    throw new Error('not on a server')
  })
  const client = createVivienneClient({ fetch: touched, WebSocket: touched as never })
  const page = renderToString(
    <VivienneProvider client={client}>
      <Everything />
      <VivienneConfigForm />
      <VivienneConfigMonitor />
    </VivienneProvider>,
  )
  expect(page).toContain('[null,null,0,&quot;offline&quot;,null,true,null,null,0,false]')
  expect(page).toContain('Loading the configuration…')
  expect(page).toContain('Loading the history…')
  expect(touched).not.toHaveBeenCalled()
  expect(error).not.toHaveBeenCalled()
})
