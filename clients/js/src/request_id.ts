/** A random id for a request. `crypto.randomUUID` is missing on pages that are not served over HTTPS. */
export function randomId(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-')
}
