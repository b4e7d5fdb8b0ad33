import { IconCheck, IconLock, IconMinus } from '@tabler/icons-react'
import type { CheckExplanation, FilterExplanation, ScenarioExplanation } from 'vivienne-client'
import { FieldButton } from './FieldButton.tsx'
import classes from './FilterList.module.css'
import { checkWords, measureWords } from './measures.ts'
import { ThresholdGauge } from './ThresholdGauge.tsx'

const STATES = {
  passed: { Icon: IconCheck, words: 'passed' },
  blocked: { Icon: IconLock, words: 'blocked' },
  off: { Icon: IconMinus, words: 'off' },
}

/** The filters in one row, each with its state; the whole sentence on hover. */
export function FilterRow({ filters }: { filters: readonly FilterExplanation[] }) {
  return (
    <ul className={classes.row} aria-label="States of the filters">
      {filters.map((filter) => (
        <li key={filter.id} data-state={filter.state} title={filter.message}>
          {filter.title} <FilterState state={filter.state} />
        </li>
      ))}
    </ul>
  )
}

function FilterState({ state }: { state: FilterExplanation['state'] }) {
  const { Icon, words } = STATES[state]
  return (
    <span className={classes.state} data-state={state}>
      <Icon size={14} aria-hidden /> {words}
    </span>
  )
}

interface FilterListProps {
  filters: readonly FilterExplanation[]
  onField: (path: string) => void
}

/** The scenarios of each filter: every value against its threshold. A scenario blocks where all its checks are met. */
export function FilterList({ filters, onField }: FilterListProps) {
  return (
    <div className={classes.filters}>
      <h3>Filters</h3>
      <ul>
        {filters.map((filter) => (
          <li key={filter.id} className={classes.filter} data-state={filter.state}>
            <div className={classes.head}>
              <h4>{filter.title}</h4>
              <FilterState state={filter.state} />
            </div>
            <ul className={classes.scenarios}>
              {filter.scenarios.map((scenario) => (
                <Scenario key={scenario.id} filter={filter} scenario={scenario} onField={onField} />
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </div>
  )
}

interface ScenarioProps {
  filter: FilterExplanation
  scenario: ScenarioExplanation
  onField: (path: string) => void
}

function Scenario({ filter, scenario, onField }: ScenarioProps) {
  const { title, enabled, switch: path, longs_only: longsOnly, blocks, checks } = scenario
  const off = filter.enabled && !enabled
  return (
    <li className={classes.scenario} data-blocks={blocks || undefined} data-off={off || undefined}>
      <span className={classes.name}>
        {title}
        {longsOnly && <small> longs only</small>}
        {path !== null && (
          <>
            {' '}
            <FieldButton path={path} onField={onField}>
              {off ? 'off' : 'on'}
            </FieldButton>
          </>
        )}
      </span>
      <ul>
        {checks.map((check) => (
          <Check key={`${check.id} ${check.relation}`} check={check} onField={onField} />
        ))}
      </ul>
    </li>
  )
}

function Check({ check, onField }: { check: CheckExplanation; onField: (path: string) => void }) {
  const { words, value, threshold } = checkWords(check)
  return (
    <li className={classes.check} data-met={check.met || undefined}>
      <span className={classes.met} role="img" aria-label={check.met ? 'met' : 'not met'} />
      <span className={classes.measure} title={check.measure}>
        {measureWords(check)}
      </span>
      <ThresholdGauge check={check} />
      <span className={`figure ${classes.value}`}>{value}</span>
      <span className={classes.threshold}>
        <span className={classes.words}>blocks {words} </span>
        {threshold !== null && check.path === null && <span className="figure">{threshold}</span>}
        {threshold !== null && check.path !== null && (
          <FieldButton path={check.path} onField={onField}>
            {threshold}
          </FieldButton>
        )}
      </span>
    </li>
  )
}
