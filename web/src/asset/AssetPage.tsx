import { useMediaQuery } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Navigate, useLocation, useNavigate, useParams } from 'react-router'
import { useAssets } from 'vivienne-client/react'
import { PageSkeleton } from '../app/PageSkeleton.tsx'
import { assetsQuery } from '../queries.ts'
import classes from './AssetPage.module.css'
import { type Panel, useAssetAddress } from './address.ts'
import { AssetChart } from './chart/AssetChart.tsx'
import { AssetHeader } from './header/AssetHeader.tsx'
import { NARROW_TABS, PanelTabs, tabPanel } from './PanelTabs.tsx'
import { SidePanels } from './SidePanels.tsx'
import { UnknownAsset } from './UnknownAsset.tsx'
import { WhyPanel } from './why/WhyPanel.tsx'

/** Closes that the overview asks for as well, so that both share one answer. */
const CLOSES = 48

/** Page of one asset: state, chart, reasons and configuration. */
export function AssetPage() {
  // A name may have slashes in it, and a proxy may have decoded them.
  const { '*': asset = '' } = useParams()
  const { search } = useLocation()
  const arrived = useAssets()
  const listed = useQuery(assetsQuery(CLOSES))
  const assets = listed.data?.assets.map((entry) => entry.asset) ?? (listed.isError ? arrived : null)
  if (assets === null || assets.length === 0) return <PageSkeleton />
  if (assets.includes(asset)) return <Known asset={asset} assets={assets} />
  const meant = assets.find((name) => name.toLowerCase() === asset.toLowerCase())
  if (meant !== undefined) return <Navigate to={`/assets/${encodeURIComponent(meant)}${search}`} replace />
  return <UnknownAsset asset={asset} assets={assets} />
}

function Known({ asset, assets }: { asset: string; assets: readonly string[] }) {
  const address = useAssetAddress()
  const navigate = useNavigate()
  const wide = useMediaQuery('(min-width: 75em)', true, { getInitialValueInEffect: false })
  const panel: Panel = address.panel ?? (wide ? 'configuration' : 'none')
  const toAsset = (next: string) => {
    const search = new URLSearchParams(window.location.search)
    search.delete('field')
    search.delete('bar')
    void navigate({ pathname: `/assets/${encodeURIComponent(next)}`, search: search.toString() })
  }
  return (
    <div className={classes.page} data-panel={panel} data-wide={wide || undefined}>
      <AssetHeader asset={asset} assets={assets} onAsset={toAsset} onHistory={() => address.openPanel('history')} />
      {!wide && <PanelTabs tabs={NARROW_TABS} panel={panel} onPanel={address.openPanel} />}
      <div className={classes.main}>
        <div className={classes.chart} data-panel="none" {...(wide ? {} : tabPanel('none'))}>
          <AssetChart key={asset} asset={asset} bar={address.bar} onBar={address.openBar} onField={address.openField} />
        </div>
        <div data-panel="why" {...(wide ? {} : tabPanel('why'))}>
          <WhyPanel
            asset={asset}
            bar={address.bar}
            onNewest={() => address.openBar(null)}
            onField={address.openField}
          />
        </div>
      </div>
      <SidePanels asset={asset} wide={wide} panel={panel} field={address.field} onPanel={address.openPanel} />
    </div>
  )
}
