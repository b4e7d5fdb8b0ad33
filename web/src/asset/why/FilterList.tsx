import { IconCheck, IconLock, IconMinus } from '@tabler/icons-react'
import type { CheckExplanation, FilterExplanation } from 'vivienne-client'
import { filterWords } from '../../parts/words.ts'
import { FieldButton } from './FieldButton.tsx'
import classes from './FilterList.module.css'
import { blocksWords, formatMeasure, measureWords } from './measures.ts'
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
        <li key={filter.name} data-state={filter.state} title={filter.message}>
          {filterWords(filter.name)} <FilterState state={filter.state} />
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

/** What each filter looked at: every value against its threshold. It blocks where all checks of one line are met. */
export function FilterList({ filters, onField }: FilterListProps) {
  return (
    <div className={classes.filters}>
      <h3>Filters</h3>
      <ul>
        {filters.map((filter) => (
          <li key={filter.name} className={classes.filter} data-state={filter.state}>
            <div className={classes.head}>
              <h4>{filterWords(filter.name)}</h4>
              <FilterState state={filter.state} />
            </div>
            <ul className={classes.scenarios}>
              {scenarios(filter.checks).map(([name, checks]) => (
                <Scenario key={name} name={name} checks={checks} onField={onField} />
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </div>
  )
}

interface ScenarioProps {
  name: string
  checks: readonly CheckExplanation[]
  onField: (path: string) => void
}

function Scenario({ name, checks, onField }: ScenarioProps) {
  return (
    <li className={classes.scenario} data-met={checks.every((check) => check.met) || undefined}>
      <span className={classes.name}>{name}</span>
      <ul>
        {checks.map((check) => (
          <Check key={`${check.measure} ${check.relation}`} check={check} onField={onField} />
        ))}
      </ul>
    </li>
  )
}

function Check({ check, onField }: { check: CheckExplanation; onField: (path: string) => void }) {
  const { words, threshold } = blocksWords(check)
  return (
    <li className={classes.check} data-met={check.met || undefined}>
      <span className={classes.met} role="img" aria-label={check.met ? 'met' : 'not met'} />
      <span className={classes.measure} title={check.measure}>
        {measureWords(check.measure)}
      </span>
      <ThresholdGauge check={check} />
      <span className={`figure ${classes.value}`}>{formatMeasure(check.measure, check.value)}</span>
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

/** Checks by scenario, in their order. */
function scenarios(checks: readonly CheckExplanation[]): [name: string, checks: CheckExplanation[]][] {
  const byName = new Map<string, CheckExplanation[]>()
  for (const check of checks) byName.set(check.scenario, [...(byName.get(check.scenario) ?? []), check])
  return [...byName]
}
