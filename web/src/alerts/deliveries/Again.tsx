import { Button } from '@mantine/core'
import { IconPlayerTrackNext, IconRefresh } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { alerts } from '../../client.ts'
import { failureWords } from '../../parts/failure.ts'
import { useWhyNot } from '../../signin/roles.ts'
import type { DeliveryStatus } from '../words.ts'
import classes from './Again.module.css'

const RESENT: readonly DeliveryStatus[] = ['dead', 'delivered', 'dropped']
const UNDER_WAY: readonly DeliveryStatus[] = ['waiting', 'retrying']

interface AgainProps {
  id: string
  status: DeliveryStatus
  /** What the message is, for those who do not see where the button is. */
  about: string
}

/** Sends a message once more, or one that waits without further delay. */
export function Again({ id, status, about }: AgainProps) {
  const queries = useQueryClient()
  const whyNot = useWhyNot('tuner')
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => alerts.resend(id),
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: ['deliveries'] }),
        queries.invalidateQueries({ queryKey: ['alerts'] }),
      ]),
  })
  const waits = UNDER_WAY.includes(status)
  if (whyNot !== null || !(waits || RESENT.includes(status))) return null
  const words = waits ? 'Try now' : 'Resend'
  const Icon = waits ? IconPlayerTrackNext : IconRefresh
  return (
    <>
      <Button
        size="compact-xs"
        variant="default"
        loading={isPending}
        leftSection={<Icon size={13} />}
        title={
          waits
            ? 'Attempts what waits for this channel without further delay, the oldest message first'
            : 'Sends the same alert, with the same id, once more'
        }
        aria-label={`${words}: ${about}`}
        onClick={() => mutate()}
      >
        {words}
      </Button>
      {error !== null && (
        <span className={classes.failed} role="alert">
          {waits ? 'Not tried' : 'Not sent again'}: {failureWords(error)}
        </span>
      )}
    </>
  )
}
