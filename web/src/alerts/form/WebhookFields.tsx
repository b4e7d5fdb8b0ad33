import { ActionIcon, Button, Textarea, TextInput } from '@mantine/core'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import classes from './Channels.module.css'
import type { ChannelFieldsProps } from './Channels.tsx'
import { type DraftHeader, isBrokenJson, isMasked, newKey } from './draft.ts'
import { Fold } from './Fold.tsx'
import { useForm } from './FormContext.ts'
import { SecretField } from './SecretField.tsx'

const MOST_HEADERS = 16
/** What several bots take. */
const EXAMPLE = `{
  "symbol": "{{symbol}}",
  "action": "{{side|long=buy,short=sell}}",
  "size": "{{position_size}}"
}`

/** Address, secret, headers and body of a webhook. */
export function WebhookFields({ channel, path, edit }: ChannelFieldsProps) {
  const { errorAt } = useForm()
  const { url, secret, headers, body } = channel
  return (
    <>
      <SecretField
        label="URL"
        description="Gets a signed POST; or env:NAME for an environment variable of the server."
        placeholder="https://bot.example/hook"
        value={url}
        error={errorAt(`${path}.url`)}
        onChange={(typed) => edit({ url: typed })}
      />
      <SecretField
        label="Signing secret"
        description="whsec_... or env:NAME; if empty, one is made and shown once."
        placeholder="made for you"
        value={secret}
        error={errorAt(`${path}.secret`)}
        onChange={(typed) => edit({ secret: typed })}
      />
      <Fold
        className={classes.more}
        summary="Headers and body"
        initially={headers.length > 0 || body !== ''}
        forced={(errorAt(`${path}.headers`) ?? errorAt(`${path}.body`)) !== undefined}
      >
        <Headers headers={headers} path={`${path}.headers`} set={(changed) => edit({ headers: changed })} />
        <Textarea
          size="xs"
          label="Body"
          description="JSON whose texts take the fields of the text; if empty, the alert itself is sent."
          placeholder={EXAMPLE}
          autosize
          minRows={5}
          maxRows={16}
          spellCheck={false}
          classNames={{ input: classes.code ?? '' }}
          value={body}
          error={
            errorAt(`${path}.body`) ??
            (isBrokenJson(body) ? 'This is not JSON yet; it would be sent as a text.' : undefined)
          }
          onChange={(event) => edit({ body: event.currentTarget.value })}
        />
      </Fold>
    </>
  )
}

interface HeadersProps {
  headers: readonly DraftHeader[]
  path: string
  set(headers: readonly DraftHeader[]): void
}

function Headers({ headers, path, set }: HeadersProps) {
  const { errorAt } = useForm()
  const change = (key: number, values: Partial<DraftHeader>) =>
    set(headers.map((header) => (header.key === key ? { ...header, ...values } : header)))
  return (
    <fieldset className={classes.headers}>
      <legend>Headers</legend>
      {headers.map(({ key, name, value }) => (
        <div key={key} className={classes.header}>
          <TextInput
            size="xs"
            aria-label="Name of the header"
            placeholder="Authorization"
            readOnly={isMasked(value)}
            value={name}
            onChange={(event) => change(key, { name: event.currentTarget.value })}
          />
          <SecretField
            hidden
            label={`Value of ${name || 'the header'}`}
            placeholder="Bearer ..."
            value={value}
            onChange={(typed) => change(key, { value: typed })}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={`Remove the header ${name}`}
            onClick={() => set(headers.filter((header) => header.key !== key))}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </div>
      ))}
      {errorAt(path) !== undefined && (
        <p className={classes.error} role="alert">
          {errorAt(path)}
        </p>
      )}
      {headers.length < MOST_HEADERS && (
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconPlus size={13} />}
          onClick={() => set([...headers, { key: newKey(), name: '', value: '' }])}
        >
          Add a header
        </Button>
      )}
    </fieldset>
  )
}
