import { useEffect, useRef, useState } from 'react'

/** When a dialog is gone, the focus is again where it was before. */
export function useFocusReturn(): void {
  const [before] = useState(() => document.activeElement)
  const shown = useRef(false)
  useEffect(() => {
    shown.current = true
    return () => {
      shown.current = false
      // Once the dialog has let go of the focus.
      setTimeout(() => {
        if (!shown.current && before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true })
      })
    }
  }, [before])
}
