import { IconFlask, IconPlayerTrackNext } from '@tabler/icons-react'
import classes from './Unreal.module.css'
import { type Market, unrealWords } from './words.ts'

/** Marks an alert of a simulation or a replay; nothing beside one of a real market. */
export function Unreal({ market }: { market: Market }) {
  const words = unrealWords(market)
  if (words === null) return null
  const Icon = market === 'replay' ? IconPlayerTrackNext : IconFlask
  return (
    <span className={classes.unreal} title={market === 'replay' ? 'Of recorded prices' : 'Of prices that are made up'}>
      <Icon size={12} aria-hidden />
      {words}
    </span>
  )
}
