import { Anchor } from '@mantine/core'
import { Link } from 'react-router'
import classes from './UnknownAsset.module.css'

/** The address names an asset that the server does not have. */
export function UnknownAsset({ asset, assets }: { asset: string; assets: readonly string[] }) {
  return (
    <section className={`panel ${classes.unknown}`}>
      <h1>There is no asset {asset}</h1>
      <p>The server knows these assets:</p>
      <ul>
        {assets.map((name) => (
          <li key={name}>
            <Anchor component={Link} to={`/assets/${encodeURIComponent(name)}`}>
              {name}
            </Anchor>
          </li>
        ))}
      </ul>
    </section>
  )
}
