import { NativeSelect, TextInput } from '@mantine/core'
import { useSearchParams } from 'react-router'
import { useAssets } from 'vivienne-client/react'
import { useAddressText } from '../app/address.ts'
import classes from './HistoryPage.module.css'
import { HistoryPanel } from './HistoryPanel.tsx'
import { channelWords } from './words.ts'

const CHANNELS = ['rest', 'websocket', 'control', 'redis', 'import']

/** Everything that was ever changed, by asset, channel and author. */
export function HistoryPage() {
  const [address, setAddress] = useSearchParams()
  const assets = useAssets()
  const [author, setAuthor] = useAddressText('author')
  const asset = address.get('asset') ?? ''
  const channel = address.get('channel') ?? ''
  const known = asset === '' || asset === 'global' || assets.includes(asset) ? assets : [asset, ...assets]
  const filter = (name: string, value: string) =>
    setAddress(
      (before) => {
        const after = new URLSearchParams(before)
        value === '' ? after.delete(name) : after.set(name, value)
        return after
      },
      { replace: true },
    )
  return (
    <div className={classes.page}>
      <header className={classes.head}>
        <h1>History</h1>
        <NativeSelect
          size="xs"
          aria-label="Asset"
          value={asset}
          data={[
            { value: '', label: 'Every change' },
            { value: 'global', label: 'All assets (global)' },
            ...known.map((each) => ({ value: each, label: `${each} with inherited changes` })),
          ]}
          onChange={(event) => filter('asset', event.currentTarget.value)}
        />
        <NativeSelect
          size="xs"
          aria-label="Channel"
          value={channel}
          data={[
            { value: '', label: 'Any channel' },
            ...CHANNELS.map((each) => ({ value: each, label: channelWords(each) })),
          ]}
          onChange={(event) => filter('channel', event.currentTarget.value)}
        />
        <TextInput
          size="xs"
          aria-label="Author"
          placeholder="Author ( / )"
          data-page-filter
          value={author}
          onChange={(event) => setAuthor(event.currentTarget.value)}
        />
      </header>
      <HistoryPanel
        key={asset}
        layer={asset === '' ? undefined : asset === 'global' ? null : asset}
        {...(channel === '' ? {} : { channel })}
        author={author}
      />
    </div>
  )
}
