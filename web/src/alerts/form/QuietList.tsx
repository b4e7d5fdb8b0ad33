import { ActionIcon, Button, TextInput } from '@mantine/core'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { Chips } from './Chips.tsx'
import { type DraftQuiet, newQuiet } from './draft.ts'
import { useForm } from './FormContext.ts'
import classes from './RuleForm.module.css'

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'].map((value) => ({
  value,
  label: value.charAt(0).toUpperCase() + value.slice(1),
}))
const MOST = 8

/** Hours in which the rule sends nothing. */
export function QuietList() {
  const { draft, change, errorAt } = useForm()
  const { quiet } = draft
  const set = (hours: readonly DraftQuiet[]) => change({ quiet: hours }, 'quiet')
  const edit = (key: number, values: Partial<DraftQuiet>) =>
    set(quiet.map((hours) => (hours.key === key ? { ...hours, ...values } : hours)))
  return (
    <fieldset className={classes.group}>
      <legend>Quiet hours</legend>
      <p className={classes.description}>Nothing is sent in them; what would have been is listed as quiet.</p>
      {quiet.map((hours, place) => (
        <div key={hours.key} className={classes.quiet}>
          <div className={classes.hours}>
            <TextInput
              label="From"
              placeholder="22:00"
              value={hours.from}
              error={errorAt(`quiet.${place}.from`)}
              onChange={(event) => edit(hours.key, { from: event.currentTarget.value })}
            />
            <TextInput
              label="To"
              placeholder="07:00"
              value={hours.to}
              error={errorAt(`quiet.${place}.to`)}
              onChange={(event) => edit(hours.key, { to: event.currentTarget.value })}
            />
            <TextInput
              label="Zone"
              className={classes.zone ?? ''}
              placeholder="Europe/Berlin"
              value={hours.zone}
              error={errorAt(`quiet.${place}.zone`)}
              onChange={(event) => edit(hours.key, { zone: event.currentTarget.value })}
            />
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={`Remove the quiet hours from ${hours.from}`}
              onClick={() => set(quiet.filter(({ key }) => key !== hours.key))}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </div>
          <Chips
            label="Days on which they begin"
            description="Every day, if none is chosen."
            chips={DAYS}
            chosen={hours.days}
            onChange={(days) => edit(hours.key, { days })}
          />
        </div>
      ))}
      {quiet.length < MOST && (
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconPlus size={14} />}
          onClick={() => set([...quiet, newQuiet()])}
        >
          Add quiet hours
        </Button>
      )}
    </fieldset>
  )
}
