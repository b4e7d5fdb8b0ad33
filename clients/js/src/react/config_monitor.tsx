import type { ReactNode } from 'react'
import type { RevisionEntry } from '../types.js'
import { useConfigHistory } from './use_config_history.js'
import { shown } from './wording.js'

/** Props of {@link VivienneConfigMonitor}. */
export interface VivienneConfigMonitorProps {
  /** In any case; null for the layer under all assets. `BTC` if left out. */
  readonly assetSymbol?: string | null
  /** So many configurations are shown. 10 if left out. */
  readonly limit?: number
  readonly className?: string
}

const ACTIONS: Readonly<Record<RevisionEntry['action'], string>> = {
  update: 'replaced',
  partial_update: 'changed',
  reset: 'reset',
  activate: 'rolled back',
  pause: 'paused',
  resume: 'resumed',
  delete: 'deleted',
  alert: 'alert rule set',
  alert_delete: 'alert rule deleted',
}

/** The last configurations, newest first: when, who, why, and which values. Plain HTML, to be styled by its classes. */
export function VivienneConfigMonitor(props: VivienneConfigMonitorProps): ReactNode {
  const { assetSymbol = 'BTC', limit = 10, className = 'vivienne-monitor' } = props
  const { entries, loading, error } = useConfigHistory(assetSymbol, limit)
  const whose = assetSymbol === null ? 'all assets' : assetSymbol.toUpperCase()
  return (
    <section className={className} aria-label={`Configuration history of ${whose}`} aria-busy={loading}>
      {error !== null && <p role="alert">{error}</p>}
      {entries.length === 0 && error === null && (
        <p>{loading ? 'Loading the history…' : `Nothing was changed yet: ${whose} runs with the defaults.`}</p>
      )}
      {entries.length > 0 && (
        <ol className="vivienne-revisions">
          {entries.map((entry) => (
            <Revision key={entry.version} entry={entry} />
          ))}
        </ol>
      )}
    </section>
  )
}

function Revision({ entry }: { readonly entry: RevisionEntry }): ReactNode {
  const { version, created_at, action, author, reason, is_active, asset_symbol, changed, config } = entry
  const time = new Date(created_at)
  return (
    <li className="vivienne-revision" value={version} data-active={is_active}>
      <p>
        <time dateTime={created_at} title={time.toUTCString()}>
          {time.toLocaleString()}
        </time>{' '}
        <strong>Version {version}</strong>
        {is_active && ' (in force)'}: {asset_symbol ?? 'all assets'} {ACTIONS[action]} by {author}{' '}
        {reason !== null && <q>{reason}</q>}
      </p>
      <ul>
        {changed.map((change) => (
          <li key={change.path}>
            <code>{change.path}</code> {shown(change.old)} → {shown(change.new)}
          </li>
        ))}
      </ul>
      <details>
        <summary>What {asset_symbol ?? 'the layer under all assets'} sets since</summary>
        <pre>{JSON.stringify(config, null, 2)}</pre>
      </details>
    </li>
  )
}
