/** Numbers as people type them: with a decimal comma, thousands apart, or a percent sign. */

/** A text as a number, or why it is none: the end of a sentence that begins with the name of the field. */
export type Numeral = { readonly value: number } | { readonly problem: string }

const PLAIN = /^[+-]?(\d+\.?\d*|\.\d+)$/
/** Between thousands: blanks of any width, apostrophes. */
const APART = /[ \u00a0\u2009\u202f'’]/g

/**
 * Read a number. It is read only where it can mean one thing: `0,25` and `1 234.5` can, `1,234` cannot.
 *
 * @param unit - of the field; a percent sign needs one that is a fraction (`1.5 %` is 0.015) or a percentage
 */
export function numeral(text: string, unit = ''): Numeral {
  const [, written = '', exponent = '', percent] = /^(.*?)(e[+-]?\d{1,3})?\s*(%)?$/i.exec(text.trim()) ?? []
  const plain = unified(written.trim().replace(/^[\u2212\u2013]/, '-'))
  if (typeof plain !== 'string') return plain
  if (!PLAIN.test(plain)) return { problem: 'must be a number' }
  const shift = percent === undefined ? 0 : shiftOf(unit)
  if (shift === null)
    return { problem: `is not a percentage${unit === '' ? '' : ` but in ${unit}`}; type it without %` }
  // By its digits: a division would leave dust.
  const value = Number(`${plain}e${Number(exponent.slice(1)) + shift}`)
  return Number.isFinite(value) ? { value } : { problem: 'must be a number' }
}

/** Digits a percent sign moves the point by; null for a unit that has no percentage. */
function shiftOf(unit: string): number | null {
  if (unit.startsWith('fraction')) return -2
  return unit.startsWith('percent') || unit.startsWith('confidence') ? 0 : null
}

/** The same number with a point, and nothing between thousands. */
function unified(text: string): string | { problem: string } {
  const joined = text.replace(APART, '')
  const isApart = joined !== text
  if (isApart && !/^[+-]?\d{1,3}([ \u00a0\u2009\u202f'’])\d{3}(\1\d{3})*([.,]\d*)?$/.test(text)) {
    return { problem: `must be a number; “${text}” has a blank or an apostrophe that does not stand between thousands` }
  }
  const commas = joined.split(',').length - 1
  const points = joined.split('.').length - 1
  if (commas === 0 && points < 2) return joined
  if (commas > 0 && points > 0) {
    const isComma = joined.lastIndexOf(',') > joined.lastIndexOf('.')
    const [thousands, decimal] = isComma ? (['.', ','] as const) : ([',', '.'] as const)
    const [whole = '', fraction = '', ...more] = joined.split(decimal)
    return more.length === 0 && isGrouped(whole, thousands) ? `${whole.replaceAll(thousands, '')}.${fraction}` : joined
  }
  const mark = commas > 0 ? ',' : '.'
  if (Math.max(commas, points) > 1) return isGrouped(joined, mark) ? joined.replaceAll(mark, '') : joined
  if (!isApart && /^[+-]?[1-9]\d{0,2},\d{3}$/.test(joined)) {
    const [big, small] = [joined.replace(',', ''), joined.replace(',', '.')].map(Number)
    return { problem: `must be clear: “${text}” can mean ${big} or ${small}; type one of them` }
  }
  return joined.replace(',', '.')
}

function isGrouped(whole: string, mark: string): boolean {
  const [first = '', ...groups] = whole.replace(/^[+-]/, '').split(mark)
  return /^[1-9]\d{0,2}$/.test(first) && groups.every((group) => /^\d{3}$/.test(group))
}
