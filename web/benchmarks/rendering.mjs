// Counts what React renders. It stands where the React developer tools would: production builds report their commits there.

/** Runs in the page, before anything else. */
export function countRenders() {
  const counted = { commits: 0, components: 0, byName: {} }
  let before = new WeakSet()
  const PERFORMED_WORK = 1
  const COMPONENTS = new Set([0, 11, 14, 15])

  function visit(fiber, seen) {
    for (let each = fiber; each; each = each.sibling) {
      seen.add(each)
      // A fiber that was on the page already was not rendered again; neither was what is under it.
      if (before.has(each)) {
        keep(each.child, seen)
        continue
      }
      if (COMPONENTS.has(each.tag) && (each.flags & PERFORMED_WORK) !== 0) {
        counted.components++
        const type = each.type?.render ?? each.type?.type ?? each.type
        const name = type?.displayName ?? type?.name ?? '?'
        counted.byName[name] = (counted.byName[name] ?? 0) + 1
      }
      visit(each.child, seen)
    }
  }

  function keep(fiber, seen) {
    for (let each = fiber; each; each = each.sibling) {
      seen.add(each)
      keep(each.child, seen)
    }
  }

  window.__REACT_DEVTOOLS_GLOBAL_HOOK__ = {
    supportsFiber: true,
    renderers: new Map(),
    inject: () => 1,
    checkDCE() {},
    onCommitFiberUnmount() {},
    onPostCommitFiberRoot() {},
    onCommitFiberRoot(_renderer, root) {
      counted.commits++
      const seen = new WeakSet()
      visit(root.current, seen)
      before = seen
    },
  }
  window.__counted = counted
}

/** Runs in the page: counts the states that arrive over its WebSocket. */
export function countStates() {
  const Native = window.WebSocket
  window.__states = 0
  window.WebSocket = class extends Native {
    constructor(...parameters) {
      super(...parameters)
      this.addEventListener('message', (event) => {
        if (typeof event.data === 'string' && event.data.startsWith('{"type":"asset_data"')) window.__states++
      })
    }
  }
}

/** Runs in the page, before anything else: the time between two frames, in ms. */
export function countFrames() {
  window.__frames = []
  let last = performance.now()
  const frame = (now) => {
    window.__frames.push(now - last)
    last = now
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
}
