import type { AssetData } from 'vivienne-client'

/**
 * When the newest market data of an asset came, in ms by the clock of the server, to the second; null before there is any.
 * A state is not sent again while its data gets older, so what counts is the age it had when it was made. Once a replay is
 * over no more is due, and it is when the state was made.
 */
export function dataTime({ timestamp, agents }: AssetData): number | null {
  const data = agents.VivienneAgent?.data
  if (data === undefined || (data.data_age === null && data.status !== 'ended')) return null
  return Math.floor((Date.parse(timestamp) - (data.data_age ?? 0) * 1000) / 1000) * 1000
}
