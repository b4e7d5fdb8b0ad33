/** Runs tasks one after the other, in the order they come; one that nobody wants any longer when its turn comes is left out. */
export function oneAfterAnother(): <T>(task: () => Promise<T>, signal?: AbortSignal) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (task, signal) => {
    const turn = last.then(() => {
      signal?.throwIfAborted()
      return task()
    })
    // A task that failed keeps nobody from the next one; who asked for it learns of it.
    last = turn.catch(() => {})
    return turn
  }
}
