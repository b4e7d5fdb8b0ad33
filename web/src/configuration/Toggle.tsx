import type { ComponentProps } from 'react'
import classes from './Toggle.module.css'

/** A switch: position, colour and, where the caller says so, a word. */
export function Toggle({ checked, ...props }: Omit<ComponentProps<'input'>, 'type' | 'role' | 'className'>) {
  return (
    <input
      {...props}
      type="checkbox"
      role="switch"
      className={classes.toggle}
      checked={checked}
      aria-checked={checked === true}
    />
  )
}
