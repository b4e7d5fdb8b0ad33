/**
 * The record of decisions: what was decided on closed bars, and why.
 *
 * @packageDocumentation
 */

export { type DecisionFilter, type DecisionPageOptions, type RecordOptions, VivienneRecord } from './record.js'
