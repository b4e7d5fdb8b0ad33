import { UnstyledButton } from '@mantine/core'
import type { ReactNode } from 'react'
import { fieldWords } from '../fieldWords.ts'
import classes from './FieldButton.module.css'

interface FieldButtonProps {
  path: string
  onField: (path: string) => void
  children: ReactNode
}

/** A value of the configuration that links to its field. */
export function FieldButton({ path, onField, children }: FieldButtonProps) {
  return (
    <UnstyledButton
      className={`figure ${classes.field}`}
      title={`Change ${fieldWords(path)}`}
      onClick={() => onField(path)}
    >
      {children}
      <span className="unseen">: change {fieldWords(path)}</span>
    </UnstyledButton>
  )
}
