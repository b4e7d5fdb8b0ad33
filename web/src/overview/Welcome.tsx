import { Button, CloseButton } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'react-router'
import { useVivienneClient } from 'vivienne-client/react'
import { formatConfidence } from '../parts/format.ts'
import { limitsOf } from '../parts/limits.ts'
import { useWhyNot } from '../signin/roles.ts'
import { fieldAddress } from './Blocker.tsx'
import { useStandings } from './standings.ts'
import { type Trial, trialOf } from './trial.ts'
import classes from './Welcome.module.css'

const KEY = 'vivienne-welcomed'

/** Introduction to the page with one thing to try; shown until it is closed once. */
export function Welcome() {
  const [read, setRead] = useState(wasRead)
  if (read) return null
  const close = () => {
    remember()
    setRead(true)
  }
  return (
    <section className={`panel ${classes.welcome}`} aria-labelledby="welcome">
      <div>
        <h2 id="welcome">All assets, the most urgent first</h2>
        <p>
          A level says how clear the signal is: idle, loaded, aim, bang. The bar shows its confidence, the ticks show
          the thresholds of the levels. A lock names the filter that blocks an entry, and links to the value that would
          release it.
        </p>
        <TryIt />
      </div>
      <CloseButton aria-label="Close this introduction" onClick={close} />
    </section>
  )
}

/** One change that shows an effect at once, on an asset where it does now. */
function TryIt() {
  const { trial, said } = useTrial()
  const standings = useStandings()
  const whyNot = useWhyNot('tuner')
  const asset = trial?.asset ?? standings[0]?.asset
  if (asset === undefined) return null
  const field = trial?.field ?? 'settings.state_threshold_loaded'
  return (
    <>
      <p>
        {trial === undefined ? (
          <>
            No asset is decided now. Try it all the same: change the loaded threshold of {asset} and press Review, which
            shows what it would have done on past bars.
          </>
        ) : (
          <>
            Try it: set the {trial.threshold} threshold of {asset} from {trial.from} to <strong>{trial.to}</strong>. Its
            confidence is {said}, so {trial.after} is its level{' '}
            {whyNot === null
              ? 'as soon as you save. The history shows your change, and one click undoes it.'
              : 'then; the review shows what that would have done. Saving needs another role.'}
          </>
        )}
      </p>
      <Button component={Link} to={fieldAddress(asset, field)} size="xs" onClick={remember}>
        Try it with {asset}
      </Button>
    </>
  )
}

/** The same asset as long as a change of it shows an effect, with its confidence as its card has it. */
function useTrial(): { trial: Trial | undefined; said: string } {
  const { states } = useVivienneClient()
  const standings = useStandings()
  const [chosen, setChosen] = useState<string>()
  const known = standings.flatMap(({ asset }) => states.get(asset) ?? [])
  const trial = trialOf(known.filter(({ asset }) => asset === chosen)) ?? trialOf(known)
  if (trial !== undefined && trial.asset !== chosen) setChosen(trial.asset)
  const limits = limitsOf(trial && states.get(trial.asset))
  return { trial, said: trial === undefined ? '' : formatConfidence(trial.confidence / 100, limits) }
}

function wasRead(): boolean {
  try {
    return localStorage.getItem(KEY) !== null
  } catch {
    return true
  }
}

function remember(): void {
  try {
    localStorage.setItem(KEY, 'yes')
  } catch {
    // Without storage it is not shown again in the first place.
  }
}
