import { NativeSelect, TextInput } from '@mantine/core'
import { LEVELS } from '../../parts/Level.tsx'
import { useFilters } from '../../signals/filterTitles.ts'
import { Chips } from './Chips.tsx'
import { useForm } from './FormContext.ts'
import classes from './RuleForm.module.css'

/** What belongs to single events: levels, filters, the number that the confidence crosses, authors and paths. */
export function EventConditions() {
  const { draft, change, errorAt } = useForm()
  const { events } = draft
  const filters = useFilters()
  return (
    <>
      {events.includes('level') && (
        <div className={classes.pair}>
          <Chips
            label="Levels"
            chips={[...LEVELS].reverse().map((value) => ({ value, label: value }))}
            chosen={draft.levels}
            error={errorAt('levels')}
            onChange={(levels) => change({ levels }, 'levels')}
          />
          <NativeSelect
            label="When the asset"
            value={draft.when}
            error={errorAt('when')}
            data={[
              { value: 'reaches', label: 'reaches one of them' },
              { value: 'leaves', label: 'leaves them' },
            ]}
            onChange={(event) => change({ when: event.currentTarget.value as 'reaches' | 'leaves' }, 'when')}
          />
        </div>
      )}
      {events.includes('confidence') && (
        <div className={classes.pair}>
          <NativeSelect
            label="Confidence"
            value={draft.crossing}
            data={[
              { value: 'above', label: 'rises above' },
              { value: 'below', label: 'falls below' },
            ]}
            onChange={(event) => change({ crossing: event.currentTarget.value as 'above' | 'below' }, 'above', 'below')}
          />
          <TextInput
            label="Number"
            description="0 to 1"
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            placeholder="0.7"
            inputMode="decimal"
            value={draft.confidence}
            error={errorAt(draft.crossing) ?? errorAt('above')}
            onChange={(event) => change({ confidence: event.currentTarget.value }, 'above', 'below')}
          />
        </div>
      )}
      {events.includes('held') && (
        <Chips
          label="Held back by"
          description="By any filter, if none is chosen."
          chips={filters.map(({ id, title }) => ({ value: id, label: title }))}
          chosen={draft.filters}
          error={errorAt('filters')}
          onChange={(chosen) => change({ filters: chosen }, 'filters')}
        />
      )}
      {events.includes('config') && (
        <div className={classes.pair}>
          <TextInput
            label="Changed by"
            description="Names or patterns; anybody if empty."
            placeholder="ana, bot-*"
            value={draft.authors}
            error={errorAt('authors')}
            onChange={(event) => change({ authors: event.currentTarget.value }, 'authors')}
          />
          <TextInput
            label="Changed values"
            description="Paths or patterns; any if empty."
            placeholder="settings.*"
            value={draft.paths}
            error={errorAt('paths')}
            onChange={(event) => change({ paths: event.currentTarget.value }, 'paths')}
          />
        </div>
      )}
    </>
  )
}
