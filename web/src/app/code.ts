const RETRY_MS = 1_000
const ATTEMPTS = 10

/**
 * Load code that is needed now; where the server does not give it, try again for a while: it may just be starting.
 *
 * @throws what the last attempt threw
 */
export async function loaded<T>(load: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await load()
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}
