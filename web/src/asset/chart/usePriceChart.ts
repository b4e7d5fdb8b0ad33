import { useEffect, useRef, useState } from 'react'
import { useZone } from '../../parts/zone.ts'
import { PriceChart } from './PriceChart.ts'
import { readPalette } from './palette.ts'

/** A chart in the element that gets the ref, in the colours of the page; null until the element is there. */
export function usePriceChart() {
  const element = useRef<HTMLDivElement>(null)
  const [chart, setChart] = useState<PriceChart | null>(null)
  const zone = useZone()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the axis is made for one zone
  useEffect(() => {
    const container = element.current
    // The element itself may be greyed because nothing is connected yet, which colours what is read from it.
    const ground = container?.parentElement
    if (!container || !ground) return
    const made = new PriceChart(container, readPalette(ground))
    setChart(made)
    const scheme = new MutationObserver(() => made.setPalette(readPalette(ground)))
    scheme.observe(document.documentElement, { attributeFilter: ['data-mantine-color-scheme'] })
    return () => {
      scheme.disconnect()
      setChart(null)
      made.remove()
    }
  }, [zone])
  return [chart, element] as const
}
