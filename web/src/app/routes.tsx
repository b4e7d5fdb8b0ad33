import { lazy } from 'react'
import { Route, Routes } from 'react-router'
import { useZone } from '../parts/zone.ts'
import { loaded } from './code.ts'
import { Shell } from './Shell.tsx'

type Page = () => Promise<{ default: React.ComponentType }>

/** Every view has an address. Pages are loaded when they are first visited. */
const PAGES: Readonly<Record<string, Page>> = {
  '/': async () => ({ default: (await import('../overview/OverviewPage.tsx')).OverviewPage }),
  '/assets/*': async () => ({ default: (await import('../asset/AssetPage.tsx')).AssetPage }),
  '/charts': async () => ({ default: (await import('../charts/ChartsPage.tsx')).ChartsPage }),
  '/configuration': async () => ({
    default: (await import('../configuration/ConfigurationPage.tsx')).ConfigurationPage,
  }),
  '/signals': async () => ({ default: (await import('../signals/SignalsPage.tsx')).SignalsPage }),
  '/signals/setups': async () => ({ default: (await import('../signals/setups/SetupsPage.tsx')).SetupsPage }),
  '/signals/account': async () => ({ default: (await import('../signals/account/AccountPage.tsx')).AccountPage }),
  '/alerts': async () => ({ default: (await import('../alerts/AlertsPage.tsx')).AlertsPage }),
  '/alerts/deliveries': async () => ({
    default: (await import('../alerts/deliveries/DeliveriesPage.tsx')).DeliveriesPage,
  }),
  '/history': async () => ({ default: (await import('../history/HistoryPage.tsx')).HistoryPage }),
  '/history/:version': async () => ({ default: (await import('../history/change/ChangePage.tsx')).ChangePage }),
  '/logs': async () => ({ default: (await import('../logs/LogsPage.tsx')).LogsPage }),
  '*': async () => ({ default: (await import('./NotFound.tsx')).NotFound }),
}

const routes = Object.entries(PAGES).map(([path, load]) => ({ path, Page: lazy(() => loaded(load)) }))

export function Views() {
  // Pages write times in the zone that is chosen.
  useZone()
  return (
    <Routes>
      <Route element={<Shell />}>
        {routes.map(({ path, Page }) => (
          <Route key={path} path={path} element={<Page />} />
        ))}
      </Route>
    </Routes>
  )
}

/** The pages, for those who want them before they are visited. */
export const PAGE_CODE: readonly (() => Promise<unknown>)[] = Object.values(PAGES)
