import { Modal } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import type { RevisionEntry } from 'vivienne-client'
import { titleOf, useFieldSpecs } from '../configuration/fields.ts'
import type { Difference } from '../configuration/proposal.ts'
import { valueWords } from '../configuration/reading.ts'
import { useFocusReturn } from '../configuration/useFocusReturn.ts'
import { Age } from '../parts/Age.tsx'
import { failureWords } from '../parts/failure.ts'
import { Path } from '../parts/Path.tsx'
import classes from './Comparison.module.css'
import { differences } from './differences.ts'
import { useInherited } from './useInherited.ts'
import { useRevision } from './useRevision.ts'
import { layerWords } from './words.ts'

interface ComparisonProps {
  /** Two versions. */
  versions: readonly [number, number]
  /** Changes that are loaded already. */
  loaded: readonly RevisionEntry[]
  onClose(): void
}

/** Differences between two versions, side by side. */
export function Comparison({ versions, loaded, onClose }: ComparisonProps) {
  useFocusReturn()
  const narrow = useMediaQuery('(max-width: 48em)') ?? false
  const [older, newer] = [...versions].sort((one, other) => one - other) as [number, number]
  const first = useRevision(older, loaded)
  const second = useRevision(newer, loaded)
  const failure = first.error ?? second.error
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Version ${older} and version ${newer}`}
      fullScreen={narrow}
      size="min(48rem, 94vw)"
      transitionProps={{ duration: 0 }}
      closeButtonProps={{ 'aria-label': 'Close the comparison' }}
    >
      {failure !== null && <p className={classes.calm}>{failureWords(failure)}</p>}
      {first.data && second.data && <SideBySide older={first.data} newer={second.data} />}
    </Modal>
  )
}

function SideBySide({ older, newer }: { older: RevisionEntry; newer: RevisionEntry }) {
  const specs = useFieldSpecs()
  const found = differences(older.config, newer.config)
  const inherited = { old: useInherited(older), new: useInherited(newer) }
  const side = ({ path, ...sides }: Difference, which: 'old' | 'new') => {
    if (which in sides) return valueWords(specs.get(path), sides[which])
    const { value, from } = inherited[which](path)
    return `${valueWords(specs.get(path), value)}, inherited (${from})`
  }
  return (
    <>
      {older.asset_symbol !== newer.asset_symbol && (
        <p className={classes.calm}>
          They belong to different layers: what is compared is what each layer sets itself.
        </p>
      )}
      {found.length === 0 && <p>Both versions set the same values.</p>}
      {found.length > 0 && (
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">Value</th>
              {[older, newer].map((entry) => (
                <th key={entry.version} scope="col">
                  Version {entry.version}
                  <span className={classes.side}>
                    {layerWords(entry.asset_symbol)}, {entry.author}, <Age time={entry.created_at} />
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {found.map((difference) => (
              <tr key={difference.path}>
                <th scope="row">
                  {titleOf(specs, difference.path)}
                  <span className={classes.side}>
                    <Path path={difference.path} />
                  </span>
                </th>
                <td className="figure" data-inherited={!('old' in difference) || undefined}>
                  {side(difference, 'old')}
                </td>
                <td className="figure" data-inherited={!('new' in difference) || undefined}>
                  {side(difference, 'new')}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}
