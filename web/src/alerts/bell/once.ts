/** Of every server: ids of alerts are good for all of them. */
const KEY = 'vivienne-alerts-told'
/** So many alerts are remembered, of all tabs. */
const MOST = 200

/**
 * Does something in one tab only. Tabs take turns (`navigator.locks`, which pages without HTTPS lack) and note what is done; one
 * that cannot do it leaves it to the next.
 *
 * @param what - names it, such as `ring evt_1`
 * @param act - does it; false if it could not
 */
export async function once(what: string, act: () => boolean): Promise<void> {
  const attempt = () => {
    const done = read()
    if (done.includes(what) || !act()) return
    write([...done, what].slice(-MOST))
  }
  if (globalThis.navigator?.locks === undefined) attempt()
  else await navigator.locks.request(KEY, attempt)
}

/** Where there is no storage, each tab has its own. */
let own: readonly string[] = []

function read(): readonly string[] {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '[]')
  } catch {
    return own
  }
}

function write(done: readonly string[]): void {
  own = done
  try {
    localStorage.setItem(KEY, JSON.stringify(done))
  } catch {
    // See `own`.
  }
}
