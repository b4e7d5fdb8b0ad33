import { Button, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useAssets } from 'vivienne-client/react'
import { EVENT_TYPES, EVENTS, eventGroup } from '../words.ts'
import { assetsToOffer } from './assetsToOffer.ts'
import { Chips } from './Chips.tsx'
import { listOf } from './draft.ts'
import { useForm } from './FormContext.ts'
import classes from './RuleForm.module.css'

/** So many assets are offered beside the field, until all are asked for. */
const OFFERED = 12

/** Name, assets and events of a rule. */
export function Basics() {
  const { draft, change, errorAt } = useForm()
  return (
    <>
      <TextInput
        label="Name"
        placeholder="BTC bangs"
        maxLength={64}
        autoFocus={draft.name === ''}
        value={draft.name}
        error={errorAt('name')}
        onChange={(event) => change({ name: event.currentTarget.value }, 'name')}
      />
      <Assets />
      <Chips
        label="Event"
        chips={EVENT_TYPES.map((value) => ({
          value,
          label: EVENTS[value].title,
          title: EVENTS[value].meaning,
          group: eventGroup(value),
        }))}
        chosen={draft.events}
        error={errorAt('event')}
        onChange={(events) => change({ events }, 'event', 'levels', 'when', 'filters', 'above', 'below', 'paths')}
      />
      <p className={classes.meanings}>
        {draft.events.length === 0
          ? 'Choose at least one event.'
          : `It fires when ${draft.events.map((event) => EVENTS[event].meaning).join('; when ')}.`}
      </p>
    </>
  )
}

/** Names or patterns; known assets are put in or taken out by a click. */
function Assets() {
  const { draft, change, errorAt } = useForm()
  const known = useAssets()
  const chosen = listOf(draft.assets)
  const set = (assets: readonly string[]) => change({ assets: assets.join(', ') }, 'assets')
  const { offered, more, setMore, text, setText } = useOffered(known, chosen)
  return (
    <div className={classes.assets}>
      <TextInput
        label="Assets"
        description="Names, or patterns such as E*; * is all of them."
        autoCapitalize="characters"
        autoComplete="off"
        spellCheck={false}
        value={draft.assets}
        error={errorAt('assets')}
        onChange={(event) => change({ assets: event.currentTarget.value }, 'assets')}
      />
      {more && (
        <TextInput
          size="xs"
          type="search"
          aria-label="Find an asset"
          placeholder={`Find one of ${known.length} assets`}
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Enter' && event.preventDefault()}
        />
      )}
      <Chips
        label="Known assets"
        chips={offered.map((value) => ({ value, label: value === '*' ? 'All' : value }))}
        chosen={chosen}
        onChange={(pressed) => {
          const all = pressed.includes('*') && !chosen.includes('*')
          const typed = chosen.filter((name) => !offered.includes(name))
          set(all ? ['*'] : [...pressed.filter((name) => name !== '*' || pressed.length === 1), ...typed])
        }}
      />
      {known.length > OFFERED && (
        <Button
          size="compact-xs"
          variant="subtle"
          className={classes.more ?? ''}
          aria-expanded={more}
          onClick={() => setMore(!more)}
        >
          {more ? 'Show fewer' : `Show all ${known.length}`}
        </Button>
      )}
    </div>
  )
}

/** The assets that are offered: the first ones and those that are chosen, or all that have a text in their names. */
function useOffered(known: readonly string[], chosen: readonly string[]) {
  const [more, showMore] = useState(false)
  const [text, setText] = useState('')
  const offered = ['*', ...assetsToOffer(known, chosen, more ? { text } : { most: OFFERED })]
  const setMore = (wanted: boolean) => {
    setText('')
    showMore(wanted)
  }
  return { offered, more, setMore, text, setText }
}
