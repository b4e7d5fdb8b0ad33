import { Button, Modal } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { AlertRule } from 'vivienne-client'
import { alerts } from '../client.ts'
import failureClasses from '../configuration/Failure.module.css'
import { useFocusReturn } from '../configuration/useFocusReturn.ts'
import { failureWords } from '../parts/failure.ts'
import { forgetTyped } from './form/typed.ts'
import classes from './RuleList.module.css'

/** Asks whether a rule is to be deleted. */
export function DeleteRule({ rule, onClose }: { rule: AlertRule; onClose(): void }) {
  const queries = useQueryClient()
  useFocusReturn()
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => alerts.remove(rule.alert_id, { expectedVersion: rule.version }),
    onSuccess: async () => {
      forgetTyped(rule.alert_id)
      await queries.invalidateQueries({ queryKey: ['alerts'] })
      onClose()
    },
  })
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Delete ${rule.name}?`}
      centered
      transitionProps={{ duration: 0 }}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <p className={classes.question}>
        It fires no more, from now on. Its secrets are gone: to have it again, they must be given again. What it has
        sent stays listed, and the history has what it said.
      </p>
      {error !== null && (
        <div className={failureClasses.failure} role="alert">
          <strong>Not deleted</strong>
          <p>{failureWords(error)}</p>
        </div>
      )}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep it
        </Button>
        <Button color="red" loading={isPending} onClick={() => mutate()}>
          Delete
        </Button>
      </div>
    </Modal>
  )
}
