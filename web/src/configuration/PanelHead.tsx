import { NativeSelect } from '@mantine/core'
import type { DraftSnapshot } from 'vivienne-client/draft'
import { useAssets } from 'vivienne-client/react'
import { useWhyNot } from '../signin/roles.ts'
import { useForm } from './FormContext.ts'
import classes from './PanelHead.module.css'
import { count } from './plural.ts'
import { isOwn } from './Source.tsx'

/** Whose form this is, which version is in force, and how much of it the layer sets itself. */
export function PanelHead({ snapshot }: { snapshot: DraftSnapshot }) {
  const { layer, proposeReset, proposeCopy } = useForm()
  const assets = useAssets()
  const may = useWhyNot('tuner') === null
  const own = Object.values(snapshot.fields).filter((field) => isOwn(field, layer))
  return (
    <div className={classes.head}>
      <span className={`${classes.version} figure fresh`}>
        {snapshot.version === 0 ? 'Version 0: never changed' : `Version ${snapshot.version} in force`}
      </span>
      <span className={classes.own}>
        {own.length === 0
          ? layer === null
            ? 'No value is set for all assets; they inherit the defaults'
            : `${layer} sets no value; it inherits the global layer`
          : `${layer ?? 'The global layer'} sets ${count(own.length, 'value')}`}
        {own.length > 0 && may && (
          <button type="button" onClick={() => proposeReset(own.map((field) => field.path))}>
            Reset all
          </button>
        )}
      </span>
      {layer !== null && may && assets.length > 1 && (
        <NativeSelect
          className={classes.copy ?? ''}
          size="xs"
          aria-label={`Copy the values of another asset to ${layer}`}
          value=""
          data={[{ value: '', label: 'Copy from …' }, ...assets.filter((asset) => asset !== layer)]}
          onChange={({ currentTarget: { value } }) => value !== '' && proposeCopy(value)}
        />
      )}
    </div>
  )
}
