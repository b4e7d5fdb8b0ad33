import { useMemo } from 'react'
import type { Document, PartialConfiguration } from '../types.js'
import { validateConfiguration } from '../validation.js'

const NOTHING_WRONG: string[] = []

/**
 * Problems of a configuration, in the sentences of the server; empty without problems.
 *
 * @param config - nested or flat, with anything left out; null or undefined while there is none
 */
export function useRealTimeValidation(config: PartialConfiguration | Document | null | undefined): string[] {
  return useMemo(() => (config == null ? NOTHING_WRONG : validateConfiguration(config)), [config])
}
