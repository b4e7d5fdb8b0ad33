import { Button, Loader } from '@mantine/core'
import { IconCircleCheckFilled, IconCircleXFilled } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import type { AlertRule } from 'vivienne-client'
import { alerts } from '../client.ts'
import { failureWords } from '../parts/failure.ts'
import { fixed } from '../parts/format.ts'
import { ChannelIcon } from './ChannelIcon.tsx'
import classes from './Tested.module.css'
import { CHANNELS } from './words.ts'

interface TestedProps {
  rule: AlertRule
  /** Each number is a test of its own. */
  number: number
  onClose(): void
}

/** Sends a test message to every channel of a rule, and shows what became of each. */
export function Tested({ rule, number, onClose }: TestedProps) {
  const { data, error } = useQuery({
    queryKey: ['alert test', rule.alert_id, number],
    // Not given up when the page is left: it was sent.
    queryFn: () => alerts.test(rule.alert_id),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
    refetchOnReconnect: false,
  })
  return (
    <div
      className={classes.tested}
      role="status"
      aria-label={`Test of ${rule.name}`}
      aria-busy={data === undefined && error === null}
    >
      {error !== null ? (
        <p className={classes.failed}>
          <IconCircleXFilled size={15} aria-hidden /> Not tested: {failureWords(error)}
        </p>
      ) : data === undefined ? (
        <p>
          <Loader size={14} /> Sending a test message to {rule.channels.length === 1 ? 'the channel' : 'every channel'}
        </p>
      ) : (
        <ul>
          {data.results.map(({ channel, type, status, status_code: code, latency_ms: latency, answer }) => (
            <li key={channel} data-status={status}>
              {status === 'delivered' ? (
                <IconCircleCheckFilled size={15} aria-hidden />
              ) : (
                <IconCircleXFilled size={15} aria-hidden />
              )}
              <span className={classes.channel}>
                <ChannelIcon type={type} size={14} /> {CHANNELS[type].title}
              </span>
              <strong>{status}</strong>
              {code !== null && <span className="figure">{code}</span>}
              <span className="figure">{fixed(0).format(latency)} ms</span>
              {answer !== '' && <span className={classes.answer}>{answer}</span>}
            </li>
          ))}
        </ul>
      )}
      <Button size="compact-xs" variant="subtle" color="gray" onClick={onClose}>
        Close
      </Button>
    </div>
  )
}
