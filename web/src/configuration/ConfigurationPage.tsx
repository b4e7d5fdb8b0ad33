import { Select } from '@mantine/core'
import { useSearchParams } from 'react-router'
import { useAssets } from 'vivienne-client/react'
import { HistoryPanel } from '../history/HistoryPanel.tsx'
import classes from './ConfigurationPage.module.css'
import { ConfigurationPanel } from './ConfigurationPanel.tsx'

const GLOBAL = 'All assets (global)'

/** The configuration of all assets, or of one, at full width, with its last changes beside it where there is room. */
export function ConfigurationPage() {
  const [address, setAddress] = useSearchParams()
  const asset = address.get('asset')?.toUpperCase() ?? null
  const assets = useAssets()
  const choices = asset === null || assets.includes(asset) ? assets : [asset, ...assets]
  const choose = (choice: string | null) =>
    setAddress((before) => {
      const after = new URLSearchParams(before)
      after.delete('field')
      choice === null || choice === GLOBAL ? after.delete('asset') : after.set('asset', choice)
      return after
    })
  return (
    <div className={classes.page}>
      <header className={classes.head}>
        <h1>Configuration</h1>
        <Select
          aria-label="Whose configuration"
          size="sm"
          searchable={choices.length > 8}
          allowDeselect={false}
          checkIconPosition="right"
          data={[GLOBAL, ...choices]}
          value={asset ?? GLOBAL}
          onChange={choose}
        />
        <p>
          {asset === null
            ? 'Every asset inherits these values, unless it sets its own.'
            : `Values set for ${asset} override those set for all assets.`}
        </p>
      </header>
      <div>
        <ConfigurationPanel layer={asset} field={address.get('field')} />
      </div>
      <aside className={classes.history} aria-label="Last changes">
        <HistoryPanel key={asset} filter={{ layer: asset }} title="Last changes" />
      </aside>
    </div>
  )
}
