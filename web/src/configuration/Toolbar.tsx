import { CloseButton, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useId } from 'react'
import { Toggle } from './Toggle.tsx'
import classes from './Toolbar.module.css'

interface ToolbarProps {
  search: string
  onSearch(search: string): void
  differing: boolean
  onDiffering(differing: boolean): void
  /** Number of values that differ from their defaults. */
  differences: number
}

/** Filters of the form: a search by name, and only values that differ. */
export function Toolbar({ search, onSearch, differing, onDiffering, differences }: ToolbarProps) {
  const id = useId()
  return (
    <search className={classes.toolbar}>
      <TextInput
        className={classes.search ?? ''}
        size="xs"
        type="search"
        aria-label="Find a value by name, path or flat name"
        placeholder="Find a value ( / )"
        leftSection={<IconSearch size={14} aria-hidden />}
        rightSection={
          search !== '' && <CloseButton size="xs" aria-label="Clear the search" onClick={() => onSearch('')} />
        }
        data-page-filter
        value={search}
        onChange={(event) => onSearch(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && search !== '') {
            event.stopPropagation()
            onSearch('')
          }
        }}
      />
      <div className={classes.only}>
        <Toggle id={id} checked={differing} onChange={(event) => onDiffering(event.currentTarget.checked)} />
        <label htmlFor={id}>Only what differs from defaults ({differences})</label>
      </div>
    </search>
  )
}
