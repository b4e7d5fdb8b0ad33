import { NavLink } from 'react-router'
import classes from '../signals/Views.module.css'

const VIEWS = [
  { to: '/alerts', title: 'Rules' },
  { to: '/alerts/deliveries', title: 'Deliveries' },
] as const

/** The views of the alerts. */
export function AlertViews() {
  return (
    <nav className={classes.views} aria-label="Views of the alerts">
      {VIEWS.map(({ to, title }) => (
        <NavLink key={to} to={to} end className={classes.view ?? ''}>
          {title}
        </NavLink>
      ))}
    </nav>
  )
}
