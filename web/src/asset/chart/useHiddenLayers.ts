import { useLocalStorage } from '@mantine/hooks'
import { useCallback, useMemo } from 'react'
import { LAYERS, type LayerId } from './layers.ts'

/** Layers that are switched off, and what switches one; remembered in this browser for all assets. */
export function useHiddenLayers(): readonly [ReadonlySet<LayerId>, (layer: LayerId) => void] {
  const [stored, store] = useLocalStorage<readonly string[]>({
    key: 'vivienne-chart-hidden',
    defaultValue: [],
    getInitialValueInEffect: false,
  })
  const hidden = useMemo(
    () => new Set(LAYERS.map(({ id }) => id).filter((id) => Array.isArray(stored) && stored.includes(id))),
    [stored],
  )
  const toggle = useCallback(
    (layer: LayerId) => {
      const next = new Set(hidden)
      if (!next.delete(layer)) next.add(layer)
      store([...next])
    },
    [hidden, store],
  )
  return [hidden, toggle]
}
