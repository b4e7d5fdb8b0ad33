/** A label beside a scale of 0 to 100: where it belongs, and how wide it is there. */
export interface Label {
  readonly at: number
  readonly width: number
}

/**
 * The middles of labels, in the order of their places, moved apart as little as is needed for none to cover another or to
 * leave the scale. All of them are there.
 */
export function spread(labels: readonly Label[]): number[] {
  // How far each middle is from the first one when they stand side by side.
  const offsets: number[] = []
  for (const [index, { width }] of labels.entries()) {
    const before = labels[index - 1]
    offsets.push(before === undefined ? 0 : (offsets[index - 1] ?? 0) + (before.width + width) / 2)
  }
  const [first, last] = [labels[0], labels.at(-1)]
  const low = (first?.width ?? 0) / 2
  const high = 100 - (last?.width ?? 0) / 2 - (offsets.at(-1) ?? 0)
  return together(labels.map(({ at }, index) => at - (offsets[index] ?? 0))).map(
    (place, index) => Math.max(low, Math.min(high, place)) + (offsets[index] ?? 0),
  )
}

/** The nearest numbers that do not decrease: neighbours that would are replaced by their mean. */
function together(places: readonly number[]): number[] {
  const groups: { sum: number; count: number }[] = []
  for (const place of places) {
    let group = { sum: place, count: 1 }
    for (
      let before = groups.at(-1);
      before && before.sum / before.count > group.sum / group.count;
      before = groups.at(-1)
    ) {
      group = { sum: before.sum + group.sum, count: before.count + group.count }
      groups.pop()
    }
    groups.push(group)
  }
  return groups.flatMap(({ sum, count }) => Array<number>(count).fill(sum / count))
}
