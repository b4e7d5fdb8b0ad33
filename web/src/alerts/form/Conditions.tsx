import { NativeSelect, Switch, TextInput } from '@mantine/core'
import { BAR_EVENTS, MARKETS, type Market } from '../words.ts'
import { Chips } from './Chips.tsx'
import type { Draft } from './draft.ts'
import { useForm } from './FormContext.ts'
import { QuietList } from './QuietList.tsx'
import classes from './RuleForm.module.css'

/** Paths of the fields below. */
export const CONDITION_PATHS = [
  'side',
  'min_size',
  'min_confidence',
  'markets',
  'cooldown',
  'once_per_bar',
  'quiet',
  'expires_after',
] as const

/** Number of conditions below that are not as they are in a new rule. */
export function conditionCount(draft: Draft): number {
  const texts = [draft.side, draft.minSize, draft.minConfidence, draft.cooldown, draft.expires]
  const given = texts.filter((text) => text !== '').length
  return given + Number(draft.markets.length < 3) + Number(!draft.oncePerBar) + Number(draft.quiet.length > 0)
}

/** Conditions that are rarely needed. */
export function Conditions() {
  const { draft, change, errorAt } = useForm()
  const ofBars = draft.events.some((event) => BAR_EVENTS.includes(event))
  const text = (name: 'minSize' | 'minConfidence' | 'cooldown' | 'expires', path: string) => ({
    inputMode: 'decimal' as const,
    value: draft[name],
    error: errorAt(path),
    onChange: (event: { currentTarget: { value: string } }) => change({ [name]: event.currentTarget.value }, path),
  })
  return (
    <>
      {ofBars && (
        <div className={classes.three}>
          <NativeSelect
            label="Side"
            value={draft.side}
            error={errorAt('side')}
            data={[
              { value: '', label: 'any' },
              { value: 'long', label: 'long' },
              { value: 'short', label: 'short' },
            ]}
            onChange={(event) => change({ side: event.currentTarget.value as Draft['side'] }, 'side')}
          />
          <TextInput label="Least size" placeholder="any" rightSection="%" {...text('minSize', 'min_size')} />
          <TextInput label="Least confidence" placeholder="0 to 1" {...text('minConfidence', 'min_confidence')} />
        </div>
      )}
      <Chips
        label="Markets"
        description="An alert of a simulation or a replay says so in its text."
        chips={(Object.keys(MARKETS) as Market[]).map((value) => ({ value, label: MARKETS[value] }))}
        chosen={draft.markets}
        error={errorAt('markets')}
        onChange={(markets) => change({ markets }, 'markets')}
      />
      <div className={classes.pair}>
        <TextInput
          label="Least time between two alerts of an asset"
          placeholder="0"
          rightSection="s"
          {...text('cooldown', 'cooldown')}
        />
        <TextInput
          label="Not to be acted on after"
          placeholder="one bar"
          rightSection="s"
          {...text('expires', 'expires_after')}
        />
      </div>
      <Switch
        size="sm"
        label="At most one alert for each asset and bar"
        checked={draft.oncePerBar}
        onChange={(event) => change({ oncePerBar: event.currentTarget.checked }, 'once_per_bar')}
      />
      <QuietList />
    </>
  )
}
