import { ActionIcon, UnstyledButton } from '@mantine/core'
import { IconLayoutSidebarRightCollapse, IconLayoutSidebarRightExpand } from '@tabler/icons-react'
import { lazy, Suspense, useRef } from 'react'
import { loaded } from '../app/code.ts'
import { PageSkeleton } from '../app/PageSkeleton.tsx'
import { ConfigurationPanel } from '../configuration/ConfigurationPanel.tsx'
import type { Panel } from './address.ts'
import { PanelTabs, tabPanel, WIDE_TABS } from './PanelTabs.tsx'
import classes from './SidePanels.module.css'

/** Loaded when it is first opened: the page is there sooner without it. */
const HistoryPanel = lazy(async () => ({
  default: (await loaded(() => import('../history/HistoryPanel.tsx'))).HistoryPanel,
}))

interface SidePanelsProps {
  asset: string
  wide: boolean
  panel: Panel
  field: string | null
  onPanel: (panel: Panel) => void
}

/**
 * Configuration and history, beside the chart or in its place.
 *
 * Each is rendered when it is first opened, and hidden when it is closed, so that no typed text is lost.
 */
export function SidePanels({ asset, wide, panel, field, onPanel }: SidePanelsProps) {
  const opened = useRef(new Set<string>())
  opened.current.add(`${asset} ${panel}`)
  const made = (which: Panel) => opened.current.has(`${asset} ${which}`)
  const open = panel === 'configuration' || panel === 'history'
  return (
    <aside className={`panel ${classes.side}`} data-open={open || undefined} aria-label="Configuration and history">
      {wide && <Top open={open} panel={panel} onPanel={onPanel} />}
      <div {...tabPanel('configuration')} className={classes.content} hidden={panel !== 'configuration'}>
        {made('configuration') && <ConfigurationPanel key={asset} layer={asset} field={field} />}
      </div>
      <div {...tabPanel('history')} className={classes.content} hidden={panel !== 'history'}>
        {made('history') && (
          <Suspense fallback={<PageSkeleton />}>
            <HistoryPanel key={asset} filter={{ layer: asset }} />
          </Suspense>
        )}
      </div>
    </aside>
  )
}

function Top({ open, panel, onPanel }: { open: boolean; panel: Panel; onPanel: (panel: Panel) => void }) {
  if (!open) {
    return (
      <div className={classes.rail}>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label="Open the panel"
          title="Open the panel"
          onClick={() => onPanel('configuration')}
        >
          <IconLayoutSidebarRightExpand size={18} aria-hidden />
        </ActionIcon>
        {WIDE_TABS.map(([value, title]) => (
          <UnstyledButton key={value} className={classes.upright} onClick={() => onPanel(value)}>
            {title}
          </UnstyledButton>
        ))}
      </div>
    )
  }
  return (
    <div className={classes.top}>
      <PanelTabs tabs={WIDE_TABS} panel={panel} onPanel={onPanel} />
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label="Close the panel"
        title="Close the panel"
        onClick={() => onPanel('none')}
      >
        <IconLayoutSidebarRightCollapse size={18} aria-hidden />
      </ActionIcon>
    </div>
  )
}
