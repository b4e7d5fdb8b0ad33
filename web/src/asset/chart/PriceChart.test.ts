import { afterAll, expect, test, vi } from 'vitest'
import type { ChartBar } from 'vivienne-client'

/** What the library was told about each series of the price axis. */
const formats: { minMove: number; formatter: (price: number) => string }[][] = []

vi.mock('lightweight-charts', async (original) => ({
  ...(await original<object>()),
  createChartEx: () => {
    const timeScale = {
      subscribeSizeChange() {},
      subscribeVisibleLogicalRangeChange() {},
      getVisibleLogicalRange: () => null,
    }
    return {
      applyOptions() {},
      subscribeCrosshairMove() {},
      subscribeClick() {},
      timeScale: () => timeScale,
      addSeries: (_kind: unknown, options: { priceScaleId?: string }) => {
        const told: (typeof formats)[number] = []
        if (options.priceScaleId === undefined) formats.push(told)
        return {
          applyOptions: ({ priceFormat }: { priceFormat?: (typeof told)[number] }) =>
            priceFormat && told.push(priceFormat),
          priceScale: () => ({ applyOptions() {} }),
          createPriceLine: () => ({ applyOptions() {} }),
          attachPrimitive() {},
          setData() {},
        }
      },
    }
  },
}))
afterAll(() => vi.doUnmock('lightweight-charts'))

test('every series of the price axis is told the tick, or the axis of a cheap coin has neither labels nor grid', async () => {
  const { PriceChart } = await import('./PriceChart.ts')
  const chart = new PriceChart({} as HTMLElement, { up: '#000000', down: '#000000' } as never)
  const bar = { time: '2026-01-01T00:00:00Z', open: 8.11e-6, high: 8.12e-6, low: 8.1e-6, close: 8.11e-6, volume: 1 }
  chart.setBars([bar as ChartBar], [], 8)
  expect(formats.length).toBeGreaterThan(3)
  for (const told of formats) {
    expect(told.at(-1)?.minMove).toBeCloseTo(1e-8, 12)
    expect(told.at(-1)?.formatter(8.1e-6)).toBe('0.00000810')
  }
})
