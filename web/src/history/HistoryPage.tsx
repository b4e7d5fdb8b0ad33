import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useMemo } from 'react'
import { useSearchParams } from 'react-router'
import { useAssets } from 'vivienne-client/react'
import { useAddressText, useChangedAddress } from '../app/address.ts'
import { titleOf, useFieldSpecs } from '../configuration/fields.ts'
import { useZone } from '../parts/zone.ts'
import { Days } from '../signals/Days.tsx'
import { ignoredDaysOf } from '../signals/filter.ts'
import { Ignored } from '../signals/Ignored.tsx'
import { FILTER_NAMES, type FilterName, filterOf } from './filter.ts'
import classes from './HistoryPage.module.css'
import { HistoryPanel } from './HistoryPanel.tsx'
import { channelWords } from './words.ts'

const CHANNELS = ['rest', 'websocket', 'control', 'redis', 'import', 'cli']

/** Everything that was ever changed; by asset, value, day, author, reason and channel, all of it in the address. */
export function HistoryPage() {
  const [address] = useSearchParams()
  // A day begins at another moment in another zone.
  const zone = useZone()
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  const filter = useMemo(() => filterOf(address), [address, zone])
  return (
    <div className={classes.page}>
      <header className={classes.head}>
        <h1>History</h1>
        <Filters />
      </header>
      <Ignored sentences={ignoredDaysOf(address)} />
      <HistoryPanel key={address.get('asset')} filter={filter} />
    </div>
  )
}

function Filters() {
  const [address] = useSearchParams()
  const change = useChangedAddress()
  const [author, setAuthor] = useAddressText('author')
  const [reason, setReason] = useAddressText('reason')
  const given = (name: FilterName) => ({
    value: address.get(name) ?? '',
    onChange: (event: { currentTarget: { value: string } }) => change({ [name]: event.currentTarget.value }),
  })
  const isFiltered = FILTER_NAMES.some((name) => address.has(name))
  const clear = () => {
    setAuthor('')
    setReason('')
    change(Object.fromEntries(FILTER_NAMES.map((name) => [name, null])), false)
  }
  return (
    <search className={classes.filters}>
      <NativeSelect size="xs" aria-label="Asset" data={useAssetChoices(address.get('asset'))} {...given('asset')} />
      <NativeSelect size="xs" aria-label="Value" data={useFieldChoices()} {...given('field')} />
      <TextInput
        size="xs"
        className={classes.text ?? ''}
        aria-label="Author"
        placeholder="Author ( / )"
        data-page-filter
        value={author}
        onChange={(event) => setAuthor(event.currentTarget.value)}
      />
      <TextInput
        size="xs"
        className={classes.text ?? ''}
        aria-label="Reason"
        placeholder="Reason"
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <NativeSelect
        size="xs"
        aria-label="Channel"
        data={[
          { value: '', label: 'Any channel' },
          ...CHANNELS.map((each) => ({ value: each, label: channelWords(each) })),
        ]}
        {...given('channel')}
      />
      <Days />
      {isFiltered && (
        <Button size="xs" variant="subtle" onClick={clear}>
          Clear
        </Button>
      )}
    </search>
  )
}

function useAssetChoices(asset: string | null) {
  const assets = useAssets()
  const known = asset === null || asset === 'global' || assets.includes(asset) ? assets : [asset, ...assets]
  return [
    { value: '', label: 'Every layer' },
    { value: 'global', label: 'All assets (global)' },
    ...known.map((each) => ({ value: each, label: `${each} with inherited changes` })),
  ]
}

/** Every value, under its section; a section is a choice of its own. */
function useFieldChoices() {
  const specs = useFieldSpecs()
  return useMemo(() => {
    const sections = new Map<string, string[]>()
    for (const path of specs.keys()) {
      const section = path.slice(0, Math.max(0, path.lastIndexOf('.')))
      sections.set(section, [...(sections.get(section) ?? []), path])
    }
    const groups = [...sections].map(([section, paths]) => ({
      group: section === '' ? 'Everything' : section.replaceAll('_', ' ').replaceAll('.', ' / '),
      items: [
        ...(section === ''
          ? []
          : [{ value: section, label: `All of ${section.split('.').at(-1)?.replaceAll('_', ' ')}` }]),
        ...paths.map((path) => ({ value: path, label: titleOf(specs, path) })),
      ],
    }))
    return [{ value: '', label: 'Any value' }, ...groups]
  }, [specs])
}
