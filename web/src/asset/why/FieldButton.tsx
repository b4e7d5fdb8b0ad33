import { UnstyledButton } from '@mantine/core'
import { type ReactNode, useContext } from 'react'
import { fieldWords } from '../fieldWords.ts'
import classes from './FieldButton.module.css'
import { ThenContext, useNowInstead } from './then.ts'

interface FieldButtonProps {
  path: string
  onField: (path: string) => void
  children: ReactNode
}

/** A value of the configuration that links to its field. One of the past says what the field holds now. */
export function FieldButton(props: FieldButtonProps) {
  return useContext(ThenContext) === null ? <Plain {...props} now={null} /> : <OfThen {...props} />
}

function OfThen(props: FieldButtonProps) {
  return <Plain {...props} now={useNowInstead(props.path)} />
}

function Plain({ path, onField, children, now }: FieldButtonProps & { now: string | null }) {
  const words = `${fieldWords(path)}${now === null ? '' : `, which is ${now} now`}`
  return (
    <UnstyledButton className={`figure ${classes.field}`} title={`Change ${words}`} onClick={() => onField(path)}>
      {children}
      <span className="unseen">: change {words}</span>
    </UnstyledButton>
  )
}
