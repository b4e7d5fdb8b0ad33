import { Button } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { useState } from 'react'
import classes from './ExportButton.module.css'
import { exportPath } from './exporting.ts'
import type { SignalFilter } from './filter.ts'
import { save } from './saving.ts'

/** The list as CSV, as it is filtered, without pages; with one asset also every decision on it, idle ones too. */
export function Exports({ filter }: { filter: SignalFilter }) {
  const [failure, setFailure] = useState<string | null>(null)
  const [only] = filter.asset?.length === 1 ? filter.asset : []
  return (
    <span className={classes.exports}>
      <ExportButton
        path={exportPath(filter)}
        words="CSV"
        hint="Save the whole list as CSV, as it is filtered"
        onFailure={setFailure}
      />
      {only !== undefined && (
        <ExportButton
          path={exportPath(filter, only)}
          words={`CSV of all ${only} bars`}
          hint={`Save the decisions on all bars of ${only} that match, idle ones too, as CSV`}
          onFailure={setFailure}
        />
      )}
      {failure !== null && (
        <span role="alert" className={classes.failure}>
          Nothing was saved: {failure}
        </span>
      )}
    </span>
  )
}

interface ExportButtonProps {
  path: string
  words: string
  hint: string
  onFailure: (words: string | null) => void
}

function ExportButton({ path, words, hint, onFailure }: ExportButtonProps) {
  const [isBusy, setBusy] = useState(false)
  const onClick = async () => {
    setBusy(true)
    onFailure(null)
    try {
      await save(path)
    } catch (error) {
      onFailure((error as Error).message)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Button
      size="compact-xs"
      variant="default"
      leftSection={<IconDownload size={13} aria-hidden />}
      title={hint}
      loading={isBusy}
      onClick={onClick}
    >
      {words}
    </Button>
  )
}
