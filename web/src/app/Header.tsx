import { ActionIcon } from '@mantine/core'
import { IconApi } from '@tabler/icons-react'
import { Link } from 'react-router'
import { Bell } from '../alerts/bell/Bell.tsx'
import { PauseControl } from '../pausing/PauseControl.tsx'
import classes from './Header.module.css'
import { Identity } from './Identity.tsx'
import { MarketBadge } from './MarketBadge.tsx'
import { Navigation } from './Navigation.tsx'
import { ROOT } from './root.ts'
import { SchemeToggle } from './SchemeToggle.tsx'
import { ShortcutsButton } from './Shortcuts.tsx'
import { ZoneToggle } from './ZoneToggle.tsx'

/** Name, navigation, market, the switch that stops everything, and what belongs to the person in front of it. */
export function Header() {
  return (
    <header className={classes.header}>
      <Link to="/" className={classes.name} aria-label="Vivienne, to the overview">
        <img src={`${ROOT}/icon.svg`} alt="" width={24} height={24} />
        <span>Vivienne</span>
      </Link>
      <Navigation place="top" />
      <MarketBadge />
      <div className={classes.tools}>
        <PauseControl layer={null} />
        <Bell />
        <Identity />
        <ActionIcon
          className={classes.api ?? ''}
          component="a"
          href={`${ROOT}/docs`}
          target="_blank"
          rel="noopener"
          variant="subtle"
          color="gray"
          size="lg"
          aria-label="API reference"
          title="API reference"
        >
          <IconApi size={20} />
        </ActionIcon>
        <span className={classes.keys}>
          <ShortcutsButton />
        </span>
        <span className={classes.zone}>
          <ZoneToggle />
        </span>
        <span className={classes.scheme}>
          <SchemeToggle />
        </span>
      </div>
    </header>
  )
}
