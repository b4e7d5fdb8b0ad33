import { Button, Skeleton } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useCallback, useState } from 'react'
import { useSearchParams } from 'react-router'
import type { AlertChanged, AlertRule } from 'vivienne-client'
import { useChangedAddress } from '../app/address.ts'
import failure from '../configuration/Failure.module.css'
import { failureWords, isLost } from '../parts/failure.ts'
import { alertsQuery } from '../queries.ts'
import { useWhyNot } from '../signin/roles.ts'
import classes from './AlertsPage.module.css'
import { AlertViews } from './AlertViews.tsx'
import { RuleForm } from './form/RuleForm.tsx'
import { NEW, useUnsavedRules } from './form/typed.ts'
import { Made } from './Made.tsx'
import { NotArrived } from './NotArrived.tsx'
import { RuleList } from './RuleList.tsx'

/** Rules of alerts; the address says which of them is edited. */
export function AlertsPage() {
  const [address] = useSearchParams()
  const change = useChangedAddress()
  const edited = address.get('rule')
  const query = useQuery(alertsQuery())
  // Its secrets are shown here and kept nowhere.
  const [made, setMade] = useState<AlertChanged | null>(null)
  const whyNot = useWhyNot('tuner')
  const hasBegun = useUnsavedRules().has(NEW)
  const rules = query.data?.alerts
  const open = useCallback((id: string) => change({ rule: id }, false), [change])
  const close = () => change({ rule: null }, false)
  const add = () => {
    setMade(null)
    open(NEW)
  }
  return (
    <div className={classes.page}>
      <header className={classes.head}>
        <h1>Alerts</h1>
        <AlertViews />
        {edited === null && whyNot === null && rules !== undefined && rules.length > 0 && (
          <Button size="xs" leftSection={<IconPlus size={15} />} className={classes.add ?? ''} onClick={add}>
            {hasBegun ? 'Go on with the new rule' : 'New rule'}
          </Button>
        )}
      </header>
      <Unread error={query.error} again={query.refetch} />
      {rules === undefined ? (
        query.error === null && <Loading />
      ) : edited !== null ? (
        <Editor
          key={edited}
          rules={rules}
          id={edited}
          onSaved={(changed) => {
            setMade(changed)
            close()
          }}
          onClose={close}
        />
      ) : (
        <>
          {made !== null && <Made changed={made} onClose={() => setMade(null)} />}
          {rules.length === 0 ? (
            <Empty add={add} whyNot={whyNot} />
          ) : (
            <RuleList rules={rules} limit={query.data?.limit ?? rules.length} onEdit={open} />
          )}
        </>
      )}
    </div>
  )
}

interface EditorProps {
  rules: readonly AlertRule[]
  id: string
  onSaved(changed: AlertChanged): void
  onClose(): void
}

function Editor({ rules, id, onSaved, onClose }: EditorProps) {
  const rule = rules.find(({ alert_id }) => alert_id === id)
  if (rule === undefined && id !== NEW) {
    return (
      <div className={classes.empty}>
        <p>
          <strong>There is no rule {id}.</strong> It may have been deleted; the history says by whom.
        </p>
        <Button size="xs" variant="default" onClick={onClose}>
          All rules
        </Button>
      </div>
    )
  }
  return (
    <>
      {rule !== undefined && rule.undelivered.length > 0 && (
        <div className={classes.standing}>
          <NotArrived rule={rule} />
        </div>
      )}
      <RuleForm rule={rule ?? null} onSaved={onSaved} onClose={onClose} />
    </>
  )
}

function Unread({ error, again }: { error: Error | null; again: () => unknown }) {
  if (error === null) return null
  return (
    <div className={failure.failure} data-kind="calm" role="status">
      <strong>The rules could not be read</strong>
      <p>{failureWords(error)}</p>
      {isLost(error) && (
        <Button size="compact-sm" variant="default" mt={8} onClick={() => again()}>
          Try again
        </Button>
      )}
    </div>
  )
}

function Empty({ add, whyNot }: { add: () => void; whyNot: string | null }) {
  return (
    <div className={classes.empty}>
      <p>
        <strong>There are no rules yet.</strong> A rule says what is told to whom: that an asset reaches bang, that a
        position opens or closes, that data is stale or somebody changed the configuration. It is told in this browser,
        to your phone, or to a program that trades.
      </p>
      <p>Begin with one that rings in this browser when any asset reaches aim or bang.</p>
      {whyNot === null ? (
        <Button size="sm" leftSection={<IconPlus size={16} />} onClick={add}>
          Make the first rule
        </Button>
      ) : (
        <p>{whyNot}</p>
      )}
    </div>
  )
}

function Loading() {
  return (
    <div role="status" aria-busy="true" aria-label="Loading the rules">
      {[1, 2, 3].map((row) => (
        <Skeleton key={row} height={64} mb={8} />
      ))}
    </div>
  )
}
