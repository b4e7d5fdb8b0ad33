import { Button, TextInput } from '@mantine/core'
import { IconAlertTriangleFilled, IconEye, IconPencil, IconSend, IconTrash } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { memo, useMemo, useState } from 'react'
import { Link } from 'react-router'
import { type AlertRule, VivienneProblem } from 'vivienne-client'
import { useAddressText } from '../app/address.ts'
import { alerts } from '../client.ts'
import { Toggle } from '../configuration/Toggle.tsx'
import { Age } from '../parts/Age.tsx'
import { failureWords } from '../parts/failure.ts'
import { useFilters } from '../signals/filterTitles.ts'
import { useWhyNot } from '../signin/roles.ts'
import { ChannelIcon } from './ChannelIcon.tsx'
import { DeleteRule } from './DeleteRule.tsx'
import { documentOf, draftOf } from './form/draft.ts'
import { useUnsavedRules } from './form/typed.ts'
import { NotArrived } from './NotArrived.tsx'
import classes from './RuleList.module.css'
import { Tested } from './Tested.tsx'
import { assetWords, CHANNELS, type ChannelType, conditionWords, eventWords, matching, targetOf } from './words.ts'

/** From so many rules on they can be filtered. */
const MANY = 8

interface RuleListProps {
  rules: readonly AlertRule[]
  limit: number
  onEdit(id: string): void
}

/** Every rule: on or off, what it watches, where it tells, when it last did, and what is wrong with it. */
export function RuleList({ rules, limit, onEdit }: RuleListProps) {
  const [deleting, setDeleting] = useState<AlertRule | null>(null)
  useFilters()
  const unsaved = useUnsavedRules()
  const [text, setText] = useAddressText('text')
  const shown = useMemo(() => matching(rules, text), [rules, text])
  return (
    <>
      {rules.length >= MANY && (
        <TextInput
          size="xs"
          type="search"
          className={classes.filter ?? ''}
          aria-label="Filter rules by name, asset or event"
          placeholder="Name, asset or event ( / )"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          data-page-filter
        />
      )}
      {shown.length === 0 && <p className={classes.limit}>No rule has this text.</p>}
      <ul className={classes.rules} aria-label="Rules">
        {shown.map((rule) => (
          <Rule
            key={rule.alert_id}
            rule={rule}
            isUnsaved={unsaved.has(rule.alert_id)}
            onEdit={onEdit}
            onDelete={setDeleting}
          />
        ))}
      </ul>
      {rules.length > limit * 0.9 && (
        <p className={classes.limit}>
          {rules.length} of at most {limit} rules.
        </p>
      )}
      {deleting !== null && <DeleteRule rule={deleting} onClose={() => setDeleting(null)} />}
    </>
  )
}

interface RuleProps {
  rule: AlertRule
  /** Something was typed into its form and is not saved. */
  isUnsaved: boolean
  onEdit(id: string): void
  onDelete(rule: AlertRule): void
}

/** One rule; of a thousand only those that have changed are drawn again. */
const Rule = memo(function Rule({ rule, isUnsaved, onEdit, onDelete }: RuleProps) {
  const whyNot = useWhyNot('tuner')
  const [tests, setTests] = useState(0)
  const { alert_id: id, name, enabled, problem, channels, last_fired_at: fired } = rule
  const conditions = conditionWords(rule)
  return (
    <li className={classes.rule} data-off={!enabled || undefined} aria-label={name}>
      <Switch rule={rule} />
      <div className={classes.what}>
        <h2>{name}</h2>
        <p>
          <span className={classes.assets}>{assetWords(rule.assets)}</span>: {eventWords(rule)}
          {conditions.length > 0 && <span className={classes.conditions}> ({conditions.join('; ')})</span>}
        </p>
        {isUnsaved && <p className={classes.unsaved}>You have edited it and not saved that.</p>}
      </div>
      <ul className={classes.channels} aria-label={`Channels of ${name}`}>
        {channels.map((channel) => {
          const type = channel.type as ChannelType
          const target = targetOf(channel)
          return (
            <li key={String(channel.id)} title={target === '' ? CHANNELS[type].meaning : target}>
              <ChannelIcon type={type} size={15} /> {CHANNELS[type].title}
              {target !== '' && <span className={classes.target}>{target}</span>}
            </li>
          )
        })}
      </ul>
      <p className={classes.fired}>
        {fired === null ? (
          'never fired'
        ) : (
          <Link to={`/alerts/deliveries?alert=${encodeURIComponent(id)}`}>
            fired <Age time={fired} />
          </Link>
        )}
      </p>
      <div className={classes.actions}>
        {whyNot === null && (
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconSend size={14} />}
            title="Really sends a message to every channel"
            onClick={() => setTests((before) => before + 1)}
          >
            Test
          </Button>
        )}
        <Button
          size="compact-sm"
          variant="default"
          leftSection={whyNot === null ? <IconPencil size={14} /> : <IconEye size={14} />}
          aria-label={`${whyNot === null ? 'Edit' : 'View'} ${name}`}
          onClick={() => onEdit(id)}
        >
          {whyNot === null ? 'Edit' : 'View'}
        </Button>
        {whyNot === null && (
          <Button
            size="compact-sm"
            variant="subtle"
            color="gray"
            aria-label={`Delete ${name}`}
            title="Delete"
            onClick={() => onDelete(rule)}
          >
            <IconTrash size={15} />
          </Button>
        )}
      </div>
      {problem !== null && (
        <p className={classes.problem}>
          <IconAlertTriangleFilled size={14} aria-hidden /> {problem}
        </p>
      )}
      <NotArrived rule={rule} />
      {tests > 0 && <Tested key={tests} number={tests} rule={rule} onClose={() => setTests(0)} />}
    </li>
  )
})

/** The switch of a rule: an edit like any other, in the history too. */
function Switch({ rule }: { rule: AlertRule }) {
  const queries = useQueryClient()
  const whyNot = useWhyNot('tuner')
  const { alert_id: id, version, name, enabled } = rule
  const { mutate, isPending, variables, error } = useMutation({
    mutationFn: (on: boolean) =>
      alerts.replace(id, { ...documentOf(draftOf(rule)), enabled: on }, { expectedVersion: version }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['alerts'] }),
  })
  const shown = isPending ? variables : enabled
  return (
    <div className={classes.switch}>
      <Toggle
        checked={shown}
        disabled={whyNot !== null || isPending}
        aria-label={`${name} is on`}
        title={whyNot ?? (shown ? 'On; switch it off' : 'Off; switch it on')}
        onChange={(event) => mutate(event.currentTarget.checked)}
      />
      <span aria-hidden>{shown ? 'on' : 'off'}</span>
      {error !== null && (
        <span className={classes.wrong} role="alert">
          {error instanceof VivienneProblem && error.code === 'version_conflict'
            ? 'Not switched: somebody else has just changed the rule. Try again.'
            : `Not switched: ${failureWords(error)}`}
        </span>
      )}
    </div>
  )
}
