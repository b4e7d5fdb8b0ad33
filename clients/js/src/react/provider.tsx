import { createContext, type ReactNode, useContext, useEffect } from 'react'
import { createVivienneClient, type VivienneClient } from '../client.js'

const ClientContext = createContext<VivienneClient | null>(null)

/** Props of {@link VivienneProvider}. */
export interface VivienneProviderProps {
  readonly client: VivienneClient
  readonly children?: ReactNode
}

/** Gives the components inside a client. The caller owns it; nothing here closes it. */
export function VivienneProvider({ client, children }: VivienneProviderProps): ReactNode {
  return <ClientContext.Provider value={client}>{children}</ClientContext.Provider>
}

let standard: VivienneClient | undefined

/** The client of the provider around; without one, a client for http://localhost:8000 that all components share. */
export function useVivienneClient(): VivienneClient {
  const given = useContext(ClientContext)
  if (given !== null) return given
  standard ??= createVivienneClient()
  return standard
}

/** The client, its connection held while the component is mounted. */
export function useConnectedClient(): VivienneClient {
  const client = useVivienneClient()
  useEffect(() => client.retain(), [client])
  return client
}
