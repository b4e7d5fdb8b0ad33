import { VivienneProblem, VivienneTimeout, VivienneUnreachable } from 'vivienne-client'

/** True if no answer came at all, so that asking again may help: of what the server refuses it does not. */
export function isLost(error: Error | null): boolean {
  if (error instanceof VivienneProblem) return error.status >= 500
  return error instanceof VivienneTimeout || error instanceof VivienneUnreachable
}

/** True if the server keeps no record; it will not, however often it is asked. */
export function isNotRecorded(error: Error | null): boolean {
  return error instanceof VivienneProblem && error.code === 'not_recorded'
}

/** True if the server does not understand what the address asks for. */
function isMisasked(error: Error): boolean {
  return error instanceof VivienneProblem && (error.status === 400 || error.status === 422)
}

/** What went wrong, in the words of the server; where it did not answer, in those of a person. */
export function failureWords(error: Error): string {
  if (error instanceof VivienneTimeout) return 'The server did not answer in time.'
  if (error instanceof VivienneUnreachable)
    return 'The server cannot be reached. This is asked for again as soon as the connection is back.'
  if (isNotRecorded(error)) return `${sentence(error.message)} Start it without --record off to have this page.`
  return error.message
}

/** A title for it. */
export function failureTitle(error: Error): string {
  if (isNotRecorded(error)) return 'Nothing is recorded'
  return isMisasked(error) ? 'The address asks for something that is not there' : 'The record could not be read'
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
