import { Tabs } from '@mantine/core'
import type { Panel } from './address.ts'

/** On a narrow screen one part of the page is shown at a time. */
export const NARROW_TABS: readonly (readonly [panel: Panel, title: string])[] = [
  ['none', 'Chart'],
  ['why', 'Why'],
  ['configuration', 'Configuration'],
  ['history', 'History'],
]

/** On a wide one these stand beside the chart. */
export const WIDE_TABS = NARROW_TABS.slice(2)

interface PanelTabsProps {
  tabs: typeof NARROW_TABS
  panel: Panel
  onPanel: (panel: Panel) => void
}

/** Tabs of the page; what they show is elsewhere in it, see `tabPanel`. */
export function PanelTabs({ tabs, panel, onPanel }: PanelTabsProps) {
  const known = tabs.some(([value]) => value === panel)
  return (
    <Tabs id="asset" value={known ? panel : null} onChange={(value) => value !== null && onPanel(value as Panel)}>
      <Tabs.List grow aria-label="Parts of the page">
        {tabs.map(([value, title]) => (
          <Tabs.Tab key={value} value={value}>
            {title}
          </Tabs.Tab>
        ))}
      </Tabs.List>
    </Tabs>
  )
}

/** Attributes that make an element the panel of a tab. */
export function tabPanel(panel: Panel) {
  return { id: `asset-panel-${panel}`, role: 'tabpanel', 'aria-labelledby': `asset-tab-${panel}` } as const
}
