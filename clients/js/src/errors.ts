import type { ErrorMessage, Problem, ProblemEntry } from './types.js'

/** The root of what this package throws on purpose; the message is a sentence for a person. */
export class VivienneError extends Error {
  override name = 'VivienneError'

  /** @param requestId - of the change that failed: sent again with this id, it is made at most once */
  constructor(
    message: string,
    readonly requestId?: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** The server refused, and says why. Nothing was changed. The message is the detail. */
export class VivienneProblem extends VivienneError {
  override name = 'VivienneProblem'
  /** HTTP status; 0 of a refusal over the WebSocket, which has none. */
  declare readonly status: number
  /** A stable word for programs, such as `version_conflict`. */
  declare readonly code: string
  declare readonly title: string
  declare readonly detail: string
  /** Everything that is wrong, each with its path and a sentence. */
  declare readonly errors: ProblemEntry[]

  constructor(problem: Omit<Problem, 'type'>, requestId?: string) {
    super(problem.detail, requestId)
    Object.assign(this, problem)
  }
}

/** No answer came in time. Whether a change was made is not known. */
export class VivienneTimeout extends VivienneError {
  override name = 'VivienneTimeout'
}

/** The server could not be reached, or the connection to it broke. */
export class VivienneUnreachable extends VivienneError {
  override name = 'VivienneUnreachable'
}

/** An `error` message of the WebSocket as a problem. Its one sentence is both title and detail. */
export function problemOf({ code, message, errors, request_id }: ErrorMessage): VivienneProblem {
  return new VivienneProblem({ status: 0, code, title: message, detail: message, errors }, request_id)
}
