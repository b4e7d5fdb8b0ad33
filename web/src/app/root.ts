/** Path under which the server serves everything, as in `/vivienne`; empty if there is none. The server writes it into the page. */
export const ROOT = document.querySelector<HTMLMetaElement>('meta[name="vivienne-root"]')?.content ?? ''

/** Address of the server. */
export const SERVER = window.location.origin + ROOT
