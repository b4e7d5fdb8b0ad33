import { leaves, type RevisionEntry } from 'vivienne-client'
import { useFieldSpecs } from '../configuration/fields.ts'
import { valueWords } from '../configuration/reading.ts'
import classes from './RevisionDocument.module.css'
import { layerWords } from './words.ts'

/** All values a layer sets itself from a version on; it inherits the others. */
export function RevisionDocument({ entry }: { entry: RevisionEntry }) {
  const specs = useFieldSpecs()
  const values = Object.entries(leaves(entry.config))
  if (values.length === 0) {
    return (
      <p className={classes.nothing}>
        From this version on {layerWords(entry.asset_symbol)} set nothing: everything is inherited.
      </p>
    )
  }
  return (
    <div className={classes.document}>
      <table>
        <caption>All that {layerWords(entry.asset_symbol)} set from this version on; the rest is inherited.</caption>
        <thead>
          <tr>
            <th scope="col">Value</th>
            <th scope="col">Set to</th>
          </tr>
        </thead>
        <tbody>
          {values.map(([path, value]) => (
            <tr key={path}>
              <th scope="row" title={path}>
                {specs.get(path)?.title ?? path}
              </th>
              <td className="figure">{valueWords(specs.get(path), value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <details>
        <summary>As JSON</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by keyboard */}
        <pre tabIndex={0}>{JSON.stringify(entry.config, null, 2)}</pre>
      </details>
    </div>
  )
}
