import {
  IconAdjustmentsHorizontal,
  IconBell,
  IconBolt,
  IconHistory,
  IconLayoutList,
  IconTerminal2,
} from '@tabler/icons-react'
import { NavLink } from 'react-router'
import classes from './Navigation.module.css'

const PAGES = [
  { to: '/', title: 'Overview', keys: 'g o', Icon: IconLayoutList },
  { to: '/signals', title: 'Signals', keys: 'g s', Icon: IconBolt },
  { to: '/alerts', title: 'Alerts', keys: 'g a', Icon: IconBell },
  { to: '/configuration', title: 'Configuration', short: 'Config', keys: 'g c', Icon: IconAdjustmentsHorizontal },
  { to: '/history', title: 'History', keys: 'g h', Icon: IconHistory },
  { to: '/logs', title: 'Logs', keys: 'g l', Icon: IconTerminal2 },
] as const

/** The pages; in the header where there is room, at the thumb on a phone. CSS shows one of the two places. */
export function Navigation({ place }: { place: 'top' | 'bottom' }) {
  return (
    <nav className={classes[place]} aria-label="Pages">
      {PAGES.map(({ to, title, keys, Icon, ...page }) => (
        <NavLink
          key={to}
          to={to}
          end={to === '/'}
          className={classes.link ?? ''}
          aria-label={title}
          title={`${title} (${keys})`}
        >
          <Icon size={place === 'top' ? 17 : 22} stroke={1.7} aria-hidden />
          {place === 'bottom' && 'short' in page ? page.short : title}
        </NavLink>
      ))}
    </nav>
  )
}
