import { Button, Modal } from '@mantine/core'
import { useFocusReturn } from '../../configuration/useFocusReturn.ts'
import classes from '../RuleList.module.css'

interface DiscardProps {
  isNew: boolean
  onStay(): void
  onDiscard(): void
}

/** Asks whether what was typed into a form is to be discarded. */
export function Discard({ isNew, onStay, onDiscard }: DiscardProps) {
  useFocusReturn()
  return (
    <Modal
      opened
      onClose={onStay}
      title="Discard what you typed?"
      centered
      transitionProps={{ duration: 0 }}
      closeButtonProps={{ 'aria-label': 'Go on editing' }}
    >
      <p className={classes.question}>
        {isNew ? 'The rule is not made yet.' : 'The rule stays as it was saved last.'} To come back to it later, open
        another page instead: what you typed is kept until you reload this one.
      </p>
      <div className={classes.buttons}>
        <Button variant="default" onClick={onStay} data-autofocus>
          Go on editing
        </Button>
        <Button color="red" onClick={onDiscard}>
          Discard
        </Button>
      </div>
    </Modal>
  )
}
