import { lazy, Suspense } from 'react'
import { loaded } from '../app/code.ts'
import { askToResume, useSwitching } from './switching.ts'

const ResumeDialog = lazy(async () => ({ default: (await loaded(() => import('./ResumeDialog.tsx'))).ResumeDialog }))

/** The question before a resumption, wherever on the page it was asked for. */
export function Resuming() {
  const { asked } = useSwitching()
  if (asked === undefined) return null
  return (
    <Suspense>
      <ResumeDialog key={asked} layer={asked} onClose={() => askToResume(undefined)} />
    </Suspense>
  )
}
