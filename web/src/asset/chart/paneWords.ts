import type { PaneId } from './address.ts'

/** Short names of the panes, for their switches. */
export const PANE_WORDS: Readonly<Record<PaneId, string>> = { rsi: 'RSI', macd: 'MACD', confidence: 'Confidence' }
