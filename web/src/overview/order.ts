import { type FocusEvent, useState } from 'react'

/** The wanted order, with those that are shown kept where they are while they are present; new ones come last. */
export function keepOrder(
  shown: readonly string[],
  wanted: readonly string[],
  present: Iterable<string> = wanted,
): readonly string[] {
  const stay = new Set(present)
  const known = new Set(shown)
  return [...shown.filter((name) => stay.has(name)), ...wanted.filter((name) => !known.has(name))]
}

/**
 * A list that follows the wanted order, but not while somebody points at it or is in it with the keyboard: then it stays as
 * it is, and `waits` says whether it would be another one. Another `kind` of order was asked for, and is shown at once.
 *
 * @param present - all names there are; one that is shown and no longer wanted stays as long
 */
export function useSteadyOrder(wanted: readonly string[], present: readonly string[], kind: string) {
  const [pointed, setPointed] = useState(false)
  const [focused, setFocused] = useState(false)
  const [shown, setShown] = useState({ order: wanted, kind })
  const steady = (pointed || focused) && shown.kind === kind
  if (!steady && (shown.order !== wanted || shown.kind !== kind)) setShown({ order: wanted, kind })
  const order = steady ? keepOrder(shown.order, wanted, present) : wanted
  return {
    order,
    waits: steady && (order.length !== wanted.length || order.some((name, place) => name !== wanted[place])),
    handlers: {
      onPointerEnter: () => setPointed(true),
      onPointerLeave: () => setPointed(false),
      onPointerCancel: () => setPointed(false),
      onFocus: (event: FocusEvent) => setFocused(event.target.matches(':focus-visible')),
      onBlur: (event: FocusEvent) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setFocused(false)
      },
    },
  }
}
