import type { VivienneClient } from '../client.js'

/**
 * Tells when the configuration of an asset may be another: its version moved, or the connection came back, in which
 * time the server may have been another one.
 *
 * @param asset - null for any asset
 * @returns a function that ends it
 */
export function watchVersion(client: VivienneClient, asset: string | null, listener: () => void): () => void {
  let version = versionOf(client, asset)
  let wasLive = client.connection.getSnapshot().state === 'live'
  let broken = false
  const onState = () => {
    const newest = versionOf(client, asset)
    if (newest === version) return
    version = newest
    listener()
  }
  const ends = [
    asset === null ? client.states.subscribeAll(onState) : client.states.subscribe(asset, onState),
    client.connection.on('connection', ({ state }) => {
      const live = state === 'live'
      if (wasLive && !live) broken = true
      wasLive = live
      if (!live || !broken) return
      broken = false
      listener()
    }),
  ]
  return () => {
    for (const end of ends) end()
  }
}

/** The version in force for an asset; with null the newest of all assets. Every change of a layer moves it. */
export function versionOf(client: VivienneClient, asset: string | null): number | undefined {
  if (asset !== null) return client.states.get(asset)?.config_version
  let newest: number | undefined
  for (const name of client.states.assets()) {
    const version = client.states.get(name)?.config_version
    if (version !== undefined && (newest === undefined || version > newest)) newest = version
  }
  return newest
}
