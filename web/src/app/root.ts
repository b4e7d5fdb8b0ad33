/** Path under which the server serves everything, as in `/vivienne`; empty if there is none. The server writes it into the page. */
export const ROOT = document.querySelector<HTMLMetaElement>('meta[name="vivienne-root"]')?.content ?? ''

/** Address of the server. */
export const SERVER = window.location.origin + ROOT

/** Goes to the same page under the path, if it was opened without: past the proxy, for one. True if it goes. */
export function goesToRoot(): boolean {
  const { pathname, search, hash } = window.location
  if (`${pathname}/`.startsWith(`${ROOT}/`)) return false
  window.location.replace(ROOT + pathname + search + hash)
  return true
}
