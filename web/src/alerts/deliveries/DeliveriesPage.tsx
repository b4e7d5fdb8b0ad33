import { Button, NativeSelect, Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useRef } from 'react'
import { useSearchParams } from 'react-router'
import type { DeliveryEntry } from 'vivienne-client'
import { useAddress, useChangedAddress } from '../../app/address.ts'
import failure from '../../configuration/Failure.module.css'
import { failureWords, isLost } from '../../parts/failure.ts'
import { useCalmList } from '../../parts/useCalmList.ts'
import { alertsQuery } from '../../queries.ts'
import page from '../AlertsPage.module.css'
import { AlertViews } from '../AlertViews.tsx'
import { STATUS_WORDS, STATUSES } from '../words.ts'
import classes from './Deliveries.module.css'
import { DeliveryRow } from './DeliveryRow.tsx'
import { type DeliveryFilter, useDeliveries } from './useDeliveries.ts'

const ANY = ''
const ORDER = {
  orderOf: ({ created_at: time }: DeliveryEntry) => Date.parse(time),
  keyOf: ({ delivery_id: id }: DeliveryEntry) => id,
}

/** Every message of an alert, and what became of it; rule and status in the address. */
export function DeliveriesPage() {
  const [address] = useSearchParams()
  const rule = address.get('alert')
  const [status] = useAddress('status', [ANY, ...STATUSES], ANY)
  const filter = useMemo<DeliveryFilter>(
    () => ({ ...(rule !== null && { alert_id: rule }), ...(status !== ANY && { status }) }),
    [rule, status],
  )
  return (
    <div className={page.page} data-wide>
      <header className={page.head}>
        <h1>Deliveries</h1>
        <AlertViews />
        <Filters rule={rule} />
      </header>
      <List filter={filter} />
    </div>
  )
}

function Filters({ rule }: { rule: string | null }) {
  const change = useChangedAddress()
  const [status, setStatus] = useAddress('status', [ANY, ...STATUSES], ANY)
  const rules = useQuery(alertsQuery()).data?.alerts ?? []
  const known = rules.map(({ alert_id: id, name }) => ({ value: id, label: name }))
  const isUnknown = rule !== null && known.every(({ value }) => value !== rule)
  return (
    <search className={classes.filters}>
      <NativeSelect
        size="xs"
        aria-label="Rule"
        value={rule ?? ''}
        data={[{ value: '', label: 'Every rule' }, ...(isUnknown ? [{ value: rule, label: rule }] : []), ...known]}
        onChange={(event) => change({ alert: event.currentTarget.value })}
      />
      <NativeSelect
        size="xs"
        aria-label="Status"
        value={status}
        data={[
          { value: ANY, label: 'Any status' },
          ...STATUSES.map((value) => ({ value, label: STATUS_WORDS[value] })),
        ]}
        onChange={(event) => setStatus(event.currentTarget.value as typeof status)}
      />
    </search>
  )
}

function List({ filter }: { filter: DeliveryFilter }) {
  const list = useRef<HTMLTableElement>(null)
  const { deliveries, of, error, isPending, isPlaceholderData, hasNextPage, ...more } = useDeliveries(filter)
  const { shown, waiting, catchUp } = useCalmList(list, deliveries, { of, ...ORDER })
  if (isPending && error === null) return <Loading />
  return (
    <div className={classes.deliveries}>
      {waiting > 0 && (
        <div className={classes.news}>
          <Button size="compact-sm" onClick={catchUp}>
            {waiting} new {waiting === 1 ? 'delivery' : 'deliveries'}
          </Button>
        </div>
      )}
      {error !== null && (
        <div className={failure.failure} data-kind="calm" role="status">
          <strong>The deliveries could not be read</strong>
          <p>{failureWords(error)}</p>
          {isLost(error) && (
            <Button size="compact-sm" variant="default" mt={8} onClick={() => more.refetch()}>
              Try again
            </Button>
          )}
        </div>
      )}
      {shown.length > 0 ? (
        <table className={classes.table} ref={list} data-old={isPlaceholderData || undefined} aria-label="Deliveries">
          <thead>
            <tr>
              <th>Status</th>
              <th>Rule</th>
              <th>Channel</th>
              <th>Alert</th>
              <th className={classes.number}>Latency</th>
              <th className={classes.number}>Attempts</th>
              <th>Answer</th>
              <th>
                <span className="unseen">Again</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((delivery) => (
              <DeliveryRow key={delivery.delivery_id} delivery={delivery} />
            ))}
          </tbody>
        </table>
      ) : (
        error === null && <Empty isNarrowed={Object.keys(filter).length > 0} hasOlder={hasNextPage} />
      )}
      {hasNextPage && (
        <Button
          className={classes.older ?? ''}
          size="xs"
          variant="default"
          loading={more.isFetchingNextPage}
          onClick={() => more.fetchNextPage()}
        >
          Show older deliveries
        </Button>
      )}
    </div>
  )
}

function Empty({ isNarrowed, hasOlder }: { isNarrowed: boolean; hasOlder: boolean }) {
  return (
    <div className={page.empty}>
      {hasOlder ? (
        <p>None of the newest deliveries matches.</p>
      ) : isNarrowed ? (
        <p>No delivery matches. Choose every rule and any status above.</p>
      ) : (
        <p>
          <strong>Nothing has been sent yet.</strong> Each message of an alert is listed here: whether it arrived, how
          long that took, what the receiver answered; what was given up can be sent again.
        </p>
      )}
    </div>
  )
}

function Loading() {
  return (
    <div role="status" aria-busy="true" aria-label="Loading the deliveries">
      {[1, 2, 3, 4, 5, 6].map((row) => (
        <Skeleton key={row} height={44} mb={6} />
      ))}
    </div>
  )
}
