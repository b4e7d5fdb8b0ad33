import { ActionIcon, Combobox, UnstyledButton, useCombobox } from '@mantine/core'
import { IconChevronDown, IconChevronLeft, IconChevronRight } from '@tabler/icons-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { shortcutsOn } from '../../app/shortcuts.ts'
import { isHeld } from '../../overview/standing.ts'
import { Level } from '../../parts/Level.tsx'
import { sameJson, useDecision } from '../agent.ts'
import classes from './AssetSwitcher.module.css'

interface AssetSwitcherProps {
  asset: string
  assets: readonly string[]
  onAsset: (asset: string) => void
}

/** The name of the asset, and the way to the others: a list to search, the one before and the one after. */
export function AssetSwitcher({ asset, assets, onAsset }: AssetSwitcherProps) {
  const neighbour = (step: number) => {
    const next = assets[(assets.indexOf(asset) + step + assets.length) % assets.length]
    if (next !== undefined && next !== asset) onAsset(next)
  }
  useKeys({ '[': () => neighbour(-1), ']': () => neighbour(1) })
  return (
    <div className={classes.switcher}>
      <h1 className="unseen">{asset}</h1>
      <Neighbour title="Previous asset" shortcut="[" hidden={assets.length < 2} onClick={() => neighbour(-1)}>
        <IconChevronLeft size={18} aria-hidden />
      </Neighbour>
      <AssetList asset={asset} assets={assets} onAsset={onAsset} />
      <Neighbour title="Next asset" shortcut="]" hidden={assets.length < 2} onClick={() => neighbour(1)}>
        <IconChevronRight size={18} aria-hidden />
      </Neighbour>
    </div>
  )
}

interface NeighbourProps {
  title: string
  shortcut: string
  /** There is no other asset. */
  hidden: boolean
  onClick: () => void
  children: ReactNode
}

function Neighbour({ title, shortcut, hidden, onClick, children }: NeighbourProps) {
  if (hidden) return null
  return (
    <ActionIcon
      className={classes.step ?? ''}
      variant="subtle"
      color="gray"
      aria-label={title}
      aria-keyshortcuts={shortcut}
      title={`${title}: ${shortcut}`}
      onClick={onClick}
    >
      {children}
    </ActionIcon>
  )
}

/** Single keys, unless they are typed into something. A bracket may need AltGr, so its name counts and no modifier. */
function useKeys(actions: Readonly<Record<string, () => void>>): void {
  const latest = useRef(actions)
  useEffect(() => {
    latest.current = actions
  })
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const { target } = event
      const typing =
        target instanceof Element && target.closest('input, textarea, select, [contenteditable], [role="dialog"]')
      if (!shortcutsOn() || event.defaultPrevented || event.metaKey || typing) return
      latest.current[event.key]?.()
    }
    document.addEventListener('keydown', listen)
    return () => document.removeEventListener('keydown', listen)
  }, [])
}

function AssetList({ asset, assets, onAsset }: AssetSwitcherProps) {
  const [sought, setSought] = useState('')
  const list = useCombobox({
    onDropdownOpen: () => list.focusSearchInput(),
    onDropdownClose: () => {
      list.resetSelectedOption()
      list.focusTarget()
      setSought('')
    },
  })
  const found = assets.filter((name) => name.toLowerCase().includes(sought.trim().toLowerCase()))
  return (
    <Combobox
      store={list}
      width={260}
      withinPortal={false}
      position="bottom-start"
      onOptionSubmit={(name) => {
        list.closeDropdown()
        onAsset(name)
      }}
    >
      <Combobox.Target targetType="button">
        <UnstyledButton className={classes.asset} title="Choose another asset" onClick={() => list.toggleDropdown()}>
          {asset}
          <IconChevronDown size={16} aria-hidden />
        </UnstyledButton>
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Search
          value={sought}
          placeholder="Asset"
          aria-label="Search assets"
          onChange={(event) => {
            setSought(event.currentTarget.value)
            list.selectFirstOption()
          }}
        />
        <Combobox.Options className={classes.options} aria-label="Assets">
          {list.dropdownOpened && found.map((name) => <Option key={name} name={name} active={name === asset} />)}
          {found.length === 0 && <Combobox.Empty>No asset has this name</Combobox.Empty>}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  )
}

function Option({ name, active }: { name: string; active: boolean }) {
  const now = useDecision(
    name,
    (decision) => ({
      level: decision.clarity_level,
      raw: decision.raw_clarity_level,
      held: isHeld(decision),
    }),
    sameJson,
  )
  return (
    <Combobox.Option value={name} active={active} className={classes.option}>
      <span>{name}</span>
      {now && <Level {...now} size="sm" />}
    </Combobox.Option>
  )
}
