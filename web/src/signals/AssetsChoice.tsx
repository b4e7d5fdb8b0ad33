import { Button, Checkbox, Popover } from '@mantine/core'
import { IconChevronDown } from '@tabler/icons-react'
import { useSearchParams } from 'react-router'
import { useAssets } from 'vivienne-client/react'
import { useChangedAddress } from '../app/address.ts'
import classes from './AssetsChoice.module.css'
import { chosenAssets } from './filter.ts'

/** The assets of interest, in the address; all of them until some are chosen. */
export function AssetsChoice() {
  const [address] = useSearchParams()
  const change = useChangedAddress()
  const chosen = chosenAssets(address) ?? []
  const all = useAssets()
  const assets = [...chosen.filter((asset) => !all.includes(asset)), ...all]
  const choose = (names: readonly string[]) => change({ asset: names.join(',') })
  const toggle = (asset: string) =>
    choose(chosen.includes(asset) ? chosen.filter((each) => each !== asset) : [...chosen, asset])
  return (
    <Popover position="bottom-start" trapFocus returnFocus withinPortal>
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          className={classes.open ?? ''}
          rightSection={<IconChevronDown size={13} aria-hidden />}
          aria-label={`Assets: ${chosen.length === 0 ? 'all' : chosen.join(', ')}`}
        >
          <span className={classes.said}>{saidOf(chosen)}</span>
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <fieldset className={classes.assets}>
          <legend className="unseen">Assets</legend>
          <Checkbox size="xs" label="All assets" checked={chosen.length === 0} onChange={() => choose([])} />
          <div className={classes.each}>
            {assets.map((asset) => (
              <Checkbox
                key={asset}
                size="xs"
                label={asset}
                checked={chosen.includes(asset)}
                onChange={() => toggle(asset)}
              />
            ))}
          </div>
        </fieldset>
      </Popover.Dropdown>
    </Popover>
  )
}

function saidOf(chosen: readonly string[]): string {
  if (chosen.length === 0) return 'All assets'
  return chosen.length < 4 ? chosen.join(', ') : `${chosen.length} assets`
}
