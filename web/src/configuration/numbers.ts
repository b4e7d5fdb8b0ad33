/** Numbers as they are typed, stepped and shown in the form. Nothing here knows about React. */

/** Digits after the decimal point. */
export function decimals(value: number): number {
  const text = plainNumber(value)
  const point = text.indexOf('.')
  return point < 0 ? 0 : text.length - point - 1
}

/** As it is typed by hand: all digits, no exponent, nothing between thousands. */
export function plainNumber(value: number): string {
  const text = String(value)
  const [mantissa = '', exponent] = text.split('e')
  if (exponent === undefined) return text
  const digits = mantissa.replace(/[-.]/g, '')
  const point = mantissa.replace('-', '').indexOf('.')
  const places = Number(exponent) + (point < 0 ? digits.length : point)
  const sign = value < 0 ? '-' : ''
  if (places <= 0) return `${sign}0.${'0'.repeat(-places)}${digits}`
  return `${sign}${digits.padEnd(places, '0')}`
}

/** As the server writes it in its sentences: thousands apart, no lost digits. */
export function figure(value: number): string {
  const [whole = '', fraction] = plainNumber(value).split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, '\u00a0')
  return fraction === undefined ? grouped : `${grouped}.${fraction}`
}

interface Stepping {
  step: number
  minimum?: number | undefined
  maximum?: number | undefined
}

/** `value` some steps on, within the bounds, without the dust of binary fractions. */
export function stepped(value: number, steps: number, { step, minimum, maximum }: Stepping): number {
  const digits = Math.max(decimals(value), decimals(step))
  const moved = Number((value + steps * step).toFixed(Math.min(digits, 20)))
  return Math.min(maximum ?? Number.POSITIVE_INFINITY, Math.max(minimum ?? Number.NEGATIVE_INFINITY, moved))
}
