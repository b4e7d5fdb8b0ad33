import { NavLink, useSearchParams } from 'react-router'
import classes from './Views.module.css'

const VIEWS = [
  { to: '/signals', title: 'List' },
  { to: '/signals/setups', title: 'Setups' },
  { to: '/signals/account', title: 'Account' },
] as const

/** What all views understand. */
const SHARED = ['asset', 'since', 'until'] as const

/** The views of the page; assets and days that are chosen stay so in the others. */
export function Views() {
  const [address] = useSearchParams()
  const search = sharedSearch(address)
  return (
    <nav className={classes.views} aria-label="Views of the signals">
      {VIEWS.map(({ to, title }) => (
        <NavLink key={to} to={`${to}${search}`} end className={classes.view ?? ''}>
          {title}
        </NavLink>
      ))}
    </nav>
  )
}

function sharedSearch(address: URLSearchParams): string {
  const kept = SHARED.flatMap((name) => {
    const value = address.get(name)
    return value === null ? [] : [[name, value]]
  })
  return kept.length === 0 ? '' : `?${new URLSearchParams(kept)}`
}
