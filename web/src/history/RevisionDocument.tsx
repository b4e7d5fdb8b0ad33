import { leaves, type RevisionEntry } from 'vivienne-client'
import { titleOf, useFieldSpecs } from '../configuration/fields.ts'
import { valueWords } from '../configuration/reading.ts'
import classes from './RevisionDocument.module.css'
import { useInherited } from './useInherited.ts'
import { layerWords } from './words.ts'

/** All values a layer sets itself from a version on; it inherits the others. */
export function RevisionDocument({ entry }: { entry: RevisionEntry }) {
  const specs = useFieldSpecs()
  const inherited = useInherited(entry)
  const own = leaves(entry.config)
  const values = Object.entries(own)
  const others = [...specs.keys()].filter((path) => !(path in own) && inherited(path).value !== undefined)
  return (
    <div className={classes.document}>
      {values.length === 0 && (
        <p>From this version on {layerWords(entry.asset_symbol)} set nothing: everything is inherited.</p>
      )}
      <table hidden={values.length === 0}>
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
                {titleOf(specs, path)}
              </th>
              <td className="figure">{valueWords(specs.get(path), value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <details>
        <summary>What it inherited at that version</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Value</th>
              <th scope="col">Inherited</th>
            </tr>
          </thead>
          <tbody>
            {others.map((path) => (
              <tr key={path}>
                <th scope="row" title={path}>
                  {titleOf(specs, path)}
                </th>
                <td className="figure">
                  {valueWords(specs.get(path), inherited(path).value)} ({inherited(path).from})
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
      <details>
        <summary>As JSON</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by keyboard */}
        <pre tabIndex={0}>{JSON.stringify(entry.config, null, 2)}</pre>
      </details>
    </div>
  )
}
