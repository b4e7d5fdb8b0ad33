import { Button, TextInput } from '@mantine/core'
import { useId } from 'react'
import { useSearchParams } from 'react-router'
import { useAddressText, useChangedAddress } from '../../app/address.ts'
import { formatNumber } from '../../parts/format.ts'
import classes from './CostsChoice.module.css'
import { costIn } from './costs.ts'

interface CostsChoiceProps {
  /** Those that the figures of the page are computed with. */
  costs: { readonly fee: number; readonly slippage: number }
}

/** The costs of a simulated trade. Others can be tried; they are in the address, and nothing that is decided depends on them. */
export function CostsChoice({ costs }: CostsChoiceProps) {
  const [address] = useSearchParams()
  const change = useChangedAddress()
  const note = useId()
  const isOwn = address.has('fee') || address.has('slippage')
  return (
    <fieldset className={classes.costs}>
      <legend>Costs of a trade, in basis points of its value</legend>
      <div className={classes.fields}>
        <Cost name="fee" title="Fee" inUse={costs.fee} note={note} />
        <Cost name="slippage" title="Slippage" inUse={costs.slippage} note={note} />
        {isOwn && (
          <Button size="xs" variant="default" onClick={() => change({ fee: null, slippage: null })}>
            Those of the server
          </Button>
        )}
      </div>
      <p id={note} className={classes.note}>
        {isOwn ? (
          <>Tried in this view alone; its address has them, so that you can send it to someone.</>
        ) : (
          <>
            As the server was started, with <code>--paper-fee</code> and <code>--paper-slippage</code>. Type others to
            see what they would have cost.
          </>
        )}{' '}
        They only bear on this simulation, never on a decision, so they are not part of the configuration and its
        versions.
      </p>
    </fieldset>
  )
}

interface CostProps {
  name: 'fee' | 'slippage'
  title: string
  inUse: number
  note: string
}

function Cost({ name, title, inUse, note }: CostProps) {
  const [typed, setTyped] = useAddressText(name)
  return (
    <TextInput
      size="xs"
      label={title}
      inputMode="decimal"
      autoComplete="off"
      classNames={{ input: 'figure' }}
      placeholder={formatNumber(inUse, 6)}
      aria-describedby={note}
      value={typed}
      error={costIn(typed).wrong}
      onChange={(event) => setTyped(event.currentTarget.value)}
    />
  )
}
