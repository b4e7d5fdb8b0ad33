import { Checkbox } from '@mantine/core'
import { useState } from 'react'
import { useAssets } from 'vivienne-client/react'
import classes from './WhichAssets.module.css'

interface WhichAssetsProps {
  layer: string | null
  /** The assets it is for instead; none: it is for its layer alone. */
  chosen: readonly string[]
  choose(assets: readonly string[]): void
}

/** A choice of assets: a change of one can be made for others too, one for all of them for a few instead. */
export function WhichAssets({ layer, chosen, choose }: WhichAssetsProps) {
  const assets = useAssets()
  const [open, setOpen] = useState(false)
  const others = assets.filter((asset) => asset !== layer)
  if (assets.length < 2) return null
  if (!open) {
    return (
      <button type="button" className={classes.open} onClick={() => setOpen(true)}>
        {layer === null ? 'Only for some assets …' : 'Also for other assets …'}
      </button>
    )
  }
  const close = () => {
    setOpen(false)
    choose([])
  }
  const toggle = (asset: string) => {
    const after = chosen.includes(asset) ? chosen.filter((each) => each !== asset) : [...chosen, asset]
    // The asset of the form is always among them, and first.
    const rest = after.filter((each) => each !== layer)
    choose(layer === null || rest.length === 0 ? rest : [layer, ...rest])
  }
  return (
    <fieldset className={classes.which}>
      <legend>
        {layer === null ? 'Only for' : `For ${layer}, and also for`}{' '}
        <button type="button" className={classes.open} onClick={close}>
          {layer === null ? 'For all assets instead' : `For ${layer} alone instead`}
        </button>
      </legend>
      <div className={classes.assets}>
        {others.map((asset) => (
          <Checkbox
            key={asset}
            size="xs"
            label={asset}
            checked={chosen.includes(asset)}
            onChange={() => toggle(asset)}
          />
        ))}
      </div>
      <p>
        One change: it is made for all of them, or for none. Each keeps its own version, and can be rolled back alone.
      </p>
    </fieldset>
  )
}
