import { IconMinus, IconTriangleFilled, IconTriangleInvertedFilled } from '@tabler/icons-react'
import type { AssetState } from 'vivienne-client'

const COLORS = { long: 'var(--v-long)', short: 'var(--v-short)', none: 'var(--v-dimmed)' }
const ICONS = { long: IconTriangleFilled, short: IconTriangleInvertedFilled, none: IconMinus }

/** Long or short: word, arrow and colour say the same. */
export function Side({ side }: { side: AssetState['side'] }) {
  const Icon = ICONS[side]
  return (
    <span style={{ color: COLORS[side], display: 'inline-flex', alignItems: 'center', gap: '0.35em', fontWeight: 600 }}>
      <Icon size="0.75em" aria-hidden />
      {side === 'none' ? 'no side' : side}
    </span>
  )
}
