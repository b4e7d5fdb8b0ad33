import { useSyncExternalStore } from 'react'
import { ROOT } from '../../app/root.ts'

/**
 * Whether this browser shows notifications of the page. `default`: nobody was asked; `insecure`: it asks nobody, because the page
 * does not come over HTTPS; `unsupported`: it has none.
 */
export type Permission = NotificationPermission | 'insecure' | 'unsupported'

const listeners = new Set<() => void>()
/** It says that it has notifications, and throws when one is made. */
let isOnlyForApps = false

export function permission(): Permission {
  if (!window.isSecureContext) return 'insecure'
  if (isOnlyForApps || !('Notification' in window)) return 'unsupported'
  return Notification.permission
}

/** Asks the person, who must have pressed a button for it. */
export async function askPermission(): Promise<void> {
  if (permission() !== 'default') return
  await Notification.requestPermission()
  told()
}

/** Whether notifications are shown; follows what is chosen in the settings of the browser. */
export function usePermission(): Permission {
  return useSyncExternalStore(subscribe, permission)
}

/** What stands in the way of notifications, and what to do; null where nothing does. */
export function permissionWords(now: Permission): string | null {
  switch (now) {
    case 'granted':
      return null
    case 'default':
      return 'This browser has not been asked yet whether it may show notifications.'
    case 'denied':
      return 'Notifications of this page are blocked. Allow them in the settings of the browser for this page, beside its address.'
    case 'insecure':
      return 'A browser shows notifications only of pages that come over HTTPS or from localhost. The bell and the sound work all the same.'
    default:
      return 'This browser cannot show notifications of pages. The bell and the sound work all the same.'
  }
}

interface Shown {
  /** The same in every tab, so that an alert is shown once. */
  readonly tag: string
  readonly title: string
  readonly body: string
  /** Called when it is clicked. */
  open(): void
}

/** Shows a notification, if that is allowed; true if it is shown. */
export function notify({ tag, title, body, open }: Shown): boolean {
  if (permission() !== 'granted') return false
  try {
    const notification = new Notification(title, { tag, body, icon: `${ROOT}/icon.svg` })
    notification.onclick = () => {
      window.focus()
      notification.close()
      open()
    }
    return true
  } catch {
    // Browsers of phones show those of installed apps only.
    isOnlyForApps = true
    told()
    return false
  }
}

function told(): void {
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  // Back from the settings of the browser.
  window.addEventListener('focus', listener)
  return () => {
    listeners.delete(listener)
    window.removeEventListener('focus', listener)
  }
}
