import { useMemo } from 'react'
import type { Document, PartialConfiguration } from '../types.js'
import { validateConfiguration } from '../validation.js'

const NOTHING_WRONG: string[] = []

/**
 * What is wrong with a configuration, in the sentences of the server; empty while nothing is.
 *
 * @param config - nested or flat, with anything left out; null or undefined while there is none
 */
export function useRealTimeValidation(config: PartialConfiguration | Document | null | undefined): string[] {
  return useMemo(() => (config == null ? NOTHING_WRONG : validateConfiguration(config)), [config])
}
