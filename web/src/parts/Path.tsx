import { Fragment } from 'react'

/** The path of a value; where it is too long for its place it breaks after a dot or an underscore. */
export function Path({ path }: { path: string }) {
  return [...path.matchAll(/[^._]+[._]?/g)].map(({ 0: part, index }) => (
    <Fragment key={index}>
      {part}
      <wbr />
    </Fragment>
  ))
}
