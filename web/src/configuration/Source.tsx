import { IconArrowBackUp } from '@tabler/icons-react'
import type { DraftField, FieldSpec } from 'vivienne-client/draft'
import { useWhyNot } from '../signin/roles.ts'
import { useForm } from './FormContext.ts'
import { valueWords } from './reading.ts'
import classes from './Source.module.css'

/** True if the edited layer sets the value itself, so that it can be reset. */
export function isOwn({ source }: DraftField, layer: string | null): boolean {
  return source === (layer === null ? 'global' : 'asset')
}

/** Which layer a value comes from; where it is the edited one, a way back that says where it leads. */
export function Source({ spec, state }: { spec: FieldSpec; state: DraftField }) {
  const { layer, proposeReset } = useForm()
  const own = isOwn(state, layer)
  const may = useWhyNot('tuner') === null
  const target = `${valueWords(undefined, state.inherits)} (${state.inheritsFrom})`
  return (
    <span className={classes.line}>
      <SourceMark source={state.source} layer={layer} />
      {own && may && (
        <button
          type="button"
          className={classes.reset}
          onClick={() => proposeReset([spec.path])}
          aria-label={`Reset ${spec.title} to ${target}`}
          title={`Remove it from ${layer ?? 'the global layer'}, so that it is inherited again`}
        >
          <IconArrowBackUp size={13} aria-hidden />
          Reset to {target}
        </button>
      )}
    </span>
  )
}

function SourceMark({ source, layer }: { source: DraftField['source']; layer: string | null }) {
  if (source === null) return <span className={classes.source}>not set</span>
  return (
    <span className={classes.source} data-source={source} title={SAYS[source](layer)}>
      {source === 'asset' ? layer : source}
    </span>
  )
}

const SAYS = {
  default: () => 'Default: not set by anybody',
  global: () => 'Set for all assets',
  asset: (layer: string | null) => `Set for ${layer} itself`,
}
