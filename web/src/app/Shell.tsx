import { useLayoutEffect, useRef } from 'react'
import { Outlet, useLocation, useNavigationType } from 'react-router'
import { useConnection } from 'vivienne-client/react'
import { PauseBanner } from '../pausing/PauseBanner.tsx'
import { Resuming } from '../pausing/Resuming.tsx'
import { ConnectionLine } from './ConnectionLine.tsx'
import { useFreshness } from './freshness.ts'
import { Header } from './Header.tsx'
import { Navigation } from './Navigation.tsx'
import { PageBoundary } from './PageBoundary.tsx'
import classes from './Shell.module.css'
import { Shortcuts } from './Shortcuts.tsx'
import { useLoudestTitle } from './title.ts'

/** The frame of every page: who, where, which market, is it alive, is it paused; then the page. */
export function Shell() {
  const main = useRef<HTMLElement>(null)
  const { pathname } = useLocation()
  useFocusOnNewPage(main)
  useTopOfNewPage()
  return (
    <>
      <ConnectionAttribute />
      <Title />
      <button type="button" className={classes.skip} onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <div className={classes.frame}>
        <Header />
        <ConnectionLine />
        <PauseBanner />
      </div>
      <main id="main" ref={main} tabIndex={-1} className={classes.main}>
        <PageBoundary address={pathname}>
          <Outlet />
        </PageBoundary>
      </main>
      <Navigation place="bottom" />
      <Shortcuts />
      <Resuming />
    </>
  )
}

/** Attribute by which CSS greys old numbers; see global.css. */
function ConnectionAttribute() {
  const { state } = useConnection()
  const { old } = useFreshness()
  useLayoutEffect(() => {
    document.documentElement.dataset.connection = state === 'live' && old ? 'behind' : state
  }, [state, old])
  return null
}

function Title() {
  useLoudestTitle()
  return null
}

/** Another page was opened: keyboard and screen reader go on there, unless the page has put the focus somewhere itself. */
function useFocusOnNewPage(main: { readonly current: HTMLElement | null }) {
  const { pathname } = useLocation()
  const shown = useRef(pathname)
  useLayoutEffect(() => {
    if (shown.current === pathname) return
    shown.current = pathname
    if (!main.current?.contains(document.activeElement)) main.current?.focus({ preventScroll: true })
  }, [pathname, main])
}

/** Another page begins at its top; going back, the browser knows where one was. */
function useTopOfNewPage() {
  const { pathname } = useLocation()
  const type = useNavigationType()
  const shown = useRef(pathname)
  useLayoutEffect(() => {
    if (shown.current === pathname) return
    shown.current = pathname
    if (type !== 'POP') window.scrollTo(0, 0)
  }, [pathname, type])
}
