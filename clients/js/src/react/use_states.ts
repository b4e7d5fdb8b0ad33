import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from 'react'
import type { AssetData } from '../types.js'
import { useConnectedClient } from './provider.js'

const NO_ASSETS: readonly string[] = []

/** Selector of the whole state. */
const whole = (state: AssetData | undefined) => state

/**
 * The newest state of an asset; undefined before the first one arrives.
 *
 * @param asset - in any case
 */
export function useVivienneState(asset: string): AssetData | undefined
/**
 * A part of the newest state of an asset. The component renders only when that part is another one.
 *
 * @param asset - in any case
 * @param selector - takes the part out; gets undefined before the first state arrives
 * @param isEqual - whether two parts are the same
 */
export function useVivienneState<Selected>(
  asset: string,
  selector: (state: AssetData | undefined) => Selected,
  isEqual?: (one: Selected, other: Selected) => boolean,
): Selected
export function useVivienneState(
  asset: string,
  selector: (state: AssetData | undefined) => unknown = whole,
  isEqual: (one: unknown, other: unknown) => boolean = Object.is,
): unknown {
  const { states } = useConnectedClient()
  const name = asset.toUpperCase()
  const subscribe = useCallback((listener: () => void) => states.subscribe(name, listener), [states, name])
  const shown = useRef<{ readonly selected: unknown } | null>(null)
  const getSelected = useMemo(() => {
    let last: { readonly state: AssetData | undefined; readonly selected: unknown } | null = null
    return () => {
      const state = states.get(name)
      if (last !== null && last.state === state) return last.selected
      const selected = selector(state)
      const held = last ?? shown.current
      last = { state, selected: held !== null && isEqual(held.selected, selected) ? held.selected : selected }
      return last.selected
    }
  }, [states, name, selector, isEqual])
  const getNothing = useMemo(() => once(() => selector(undefined)), [selector])
  const selected = useSyncExternalStore(subscribe, getSelected, getNothing)
  useEffect(() => {
    shown.current = { selected }
  }, [selected])
  return selected
}

/** The same answer every time. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** The assets of which a state has arrived, in the order of their arrival; the same list until there is another one. */
export function useAssets(): readonly string[] {
  const { states } = useConnectedClient()
  const subscribe = useCallback((listener: () => void) => states.subscribeAll(listener), [states])
  return useSyncExternalStore(
    subscribe,
    () => states.assets(),
    () => NO_ASSETS,
  )
}
