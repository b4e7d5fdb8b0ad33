import { lazy, type ReactNode, Suspense } from 'react'
import { loaded } from '../app/code.ts'
import { useSession } from './session.ts'

const SignInPage = lazy(async () => ({ default: (await loaded(() => import('./SignInPage.tsx'))).SignInPage }))

/** The dashboard, or the page to sign in at in its place, under the same address. */
export function Gate({ children }: { children: ReactNode }) {
  const { shut } = useSession()
  if (shut === null) return children
  return (
    <Suspense>
      <SignInPage {...shut} />
    </Suspense>
  )
}
