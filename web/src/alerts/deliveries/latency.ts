import { fixed, formatDelay } from '../../parts/format.ts'

/** Time from a decision to the delivery of its alert: "12 ms", "1.2 s", "3 min". */
export function latencyWords(milliseconds: number): string {
  return milliseconds < 1_000 ? `${fixed(0).format(milliseconds)} ms` : formatDelay(milliseconds / 1_000)
}
