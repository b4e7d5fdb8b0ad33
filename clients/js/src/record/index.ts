/**
 * The record of decisions: what was decided on closed bars, and why.
 *
 * @packageDocumentation
 */

export {
  type Costs,
  type DecisionFilter,
  type DecisionPageOptions,
  type JudgedSpan,
  type RecordOptions,
  VivienneRecord,
} from './record.js'
