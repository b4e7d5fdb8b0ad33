import { Button } from '@mantine/core'
import { useState } from 'react'
import { useVivienneClient } from 'vivienne-client/react'
import { NotUndone } from '../configuration/MadeNotice.tsx'
import { takeBack } from '../configuration/madeChange.ts'
import type { Together } from './together.ts'
import { layerWords } from './words.ts'

/** Undoes a change of several layers with one click; what goes wrong is said beside the button. */
export function UndoTogether({ change, onUndo }: { change: Together; onUndo(): void }) {
  const client = useVivienneClient()
  const [undoing, setUndoing] = useState(false)
  const [failure, setFailure] = useState<unknown>(null)
  const { layers, versions, whole, configId, values } = change
  const [from, to] = versions
  const made = { layer: layers[0] ?? null, assets: layers.map(layerWords), version: to, configId, values }
  const undo = async () => {
    setUndoing(true)
    setFailure(null)
    onUndo()
    try {
      await takeBack(client, { ...made, verb: 'saved' })
    } catch (error) {
      setFailure(error)
    } finally {
      setUndoing(false)
    }
  }
  return (
    <>
      <Button
        size="compact-xs"
        variant="subtle"
        loading={undoing}
        title={`Made for ${made.assets.join(', ')}${whole ? '' : ' and perhaps others'} as one change`}
        onClick={undo}
      >
        {whole ? `Undo versions ${from} to ${to}` : `Undo all that was changed with it`}
      </Button>
      {failure !== null && <NotUndone change={made} error={failure} />}
    </>
  )
}
