/**
 * Access to servers that require a token: options for a client, and the identity behind a token.
 *
 * @packageDocumentation
 */

export type { AskOptions } from '../ask.js'
export { askCaller } from './ask.js'
export { withToken } from './with_token.js'
