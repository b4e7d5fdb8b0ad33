/**
 * Get in where the server demands a token: options for a client, and who one is by a token.
 *
 * @packageDocumentation
 */

export { type AskOptions, askCaller } from './ask.js'
export { withToken } from './with_token.js'
