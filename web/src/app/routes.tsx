import { createBrowserRouter, type RouteObject } from 'react-router'
import { PageSkeleton } from './PageSkeleton.tsx'
import { RouteError } from './RouteError.tsx'
import { Shell } from './Shell.tsx'

type Page = () => Promise<{ Component: React.ComponentType }>

/** Every view has an address. Pages are loaded when they are first visited. */
const PAGES: Readonly<Record<string, Page>> = {
  '/': async () => ({ Component: (await import('../overview/OverviewPage.tsx')).OverviewPage }),
  '/assets/:asset': async () => ({ Component: (await import('../asset/AssetPage.tsx')).AssetPage }),
  '/configuration': async () => ({
    Component: (await import('../configuration/ConfigurationPage.tsx')).ConfigurationPage,
  }),
  '/history': async () => ({ Component: (await import('../history/HistoryPage.tsx')).HistoryPage }),
  '/logs': async () => ({ Component: (await import('../logs/LogsPage.tsx')).LogsPage }),
  '*': async () => ({ Component: (await import('./NotFound.tsx')).NotFound }),
}

const children: RouteObject[] = Object.entries(PAGES).map(([path, page]) => ({
  path,
  lazy: page,
  HydrateFallback: PageSkeleton,
  ErrorBoundary: RouteError,
}))

export const router = createBrowserRouter([{ Component: Shell, ErrorBoundary: RouteError, children }])

/** The other pages are fetched once the first one is there: they must open without a server, too. */
function fetchAllPages() {
  // What cannot be fetched now is fetched when it is visited, and its failure shown there.
  for (const page of Object.values(PAGES)) page().catch(() => undefined)
}
setTimeout(fetchAllPages, 3_000)
