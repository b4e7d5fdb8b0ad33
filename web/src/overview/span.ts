const UNITS: Readonly<Record<string, number>> = { m: 1, h: 60, d: 1440 }

/** The time that a number of bars covers: 48 bars of `15m` are "12 h". */
export function spanWords(bars: number, timeframe: string): string {
  const unit = UNITS[timeframe.slice(-1)]
  const minutes = unit === undefined ? Number.NaN : bars * unit * Number.parseInt(timeframe, 10)
  if (Number.isNaN(minutes)) return `${bars} bars`
  if (minutes < 120) return `${minutes} min`
  if (minutes < 2880) return `${rounded(minutes / 60)} h`
  return `${rounded(minutes / 1440)} d`
}

/** The time that the closes of the assets cover at most; '' while none has a close. */
export function spanOfCloses(assets: readonly { readonly closes: readonly number[] }[], timeframe: string): string {
  const most = Math.max(0, ...assets.map(({ closes }) => closes.length))
  return most === 0 ? '' : spanWords(most, timeframe)
}

function rounded(value: number): string {
  return String(Math.round(value * 10) / 10)
}
