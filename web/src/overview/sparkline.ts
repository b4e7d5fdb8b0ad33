/** The path of a line through values, oldest first, that fills a box of this size; empty without two values. */
export function sparklinePath(values: readonly number[], width: number, height: number): string {
  if (values.length < 2) return ''
  const low = Math.min(...values)
  const span = Math.max(...values) - low
  const x = (place: number) => rounded((place * width) / (values.length - 1))
  const y = (value: number) => rounded(span === 0 ? height / 2 : height - ((value - low) / span) * height)
  return values.map((value, place) => `${place === 0 ? 'M' : 'L'}${x(place)} ${y(value)}`).join('')
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
