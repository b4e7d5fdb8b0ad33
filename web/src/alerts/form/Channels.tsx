import { ActionIcon, Button, Switch, TextInput } from '@mantine/core'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { Permission } from '../bell/Permission.tsx'
import { ChannelIcon } from '../ChannelIcon.tsx'
import { CHANNEL_TYPES, CHANNELS } from '../words.ts'
import classes from './Channels.module.css'
import { type DraftChannel, newChannel } from './draft.ts'
import { Fold } from './Fold.tsx'
import { useForm } from './FormContext.ts'
import { SecretField } from './SecretField.tsx'
import { WebhookFields } from './WebhookFields.tsx'

const MOST = 8
const SENT_AS: Readonly<Record<string, string>> = { coalesce: 'coalesce_above', dropExpired: 'drop_expired' }

export interface ChannelFieldsProps {
  channel: DraftChannel
  path: string
  edit(values: Partial<DraftChannel>): void
}

/** Where the alerts of a rule go. */
export function Channels() {
  const { draft, change, errorAt } = useForm()
  const { channels } = draft
  const set = (after: readonly DraftChannel[]) => change({ channels: after }, 'channels')
  return (
    <fieldset className={classes.channels}>
      <legend>Channels</legend>
      {channels.map((channel, place) => {
        const path = `channels.${place}`
        const edit = (values: Partial<DraftChannel>) =>
          change(
            { channels: channels.map((each) => (each.key === channel.key ? { ...each, ...values } : each)) },
            ...Object.keys(values).map((name) => `${path}.${SENT_AS[name] ?? name}`),
          )
        return (
          <section key={channel.key} className={classes.channel} aria-label={CHANNELS[channel.type].title}>
            <header className={classes.head}>
              <ChannelIcon type={channel.type} />
              <strong>{CHANNELS[channel.type].title}</strong>
              <span className={classes.meaning}>{CHANNELS[channel.type].meaning}</span>
              <ActionIcon
                variant="subtle"
                color="gray"
                size="lg"
                className={classes.remove ?? ''}
                aria-label={`Remove ${CHANNELS[channel.type].title}`}
                title="Remove this channel"
                onClick={() => set(channels.filter(({ key }) => key !== channel.key))}
              >
                <IconTrash size={16} />
              </ActionIcon>
            </header>
            <Fields channel={channel} path={path} edit={edit} />
          </section>
        )
      })}
      {channels.length === 0 && <p className={classes.none}>A rule needs at least one channel.</p>}
      {errorAt('channels') !== undefined && channels.length === 0 && (
        <p className={classes.error} role="alert">
          {errorAt('channels')}
        </p>
      )}
      {channels.length < MOST && (
        <div className={classes.add}>
          {CHANNEL_TYPES.map((type) => (
            <Button
              key={type}
              size="compact-sm"
              variant="default"
              title={CHANNELS[type].meaning}
              leftSection={<IconPlus size={14} />}
              aria-label={`Add ${CHANNELS[type].title}`}
              onClick={() => set([...channels, newChannel(type)])}
            >
              {CHANNELS[type].title}
            </Button>
          ))}
        </div>
      )}
    </fieldset>
  )
}

function Fields(props: ChannelFieldsProps) {
  const { channel, path, edit } = props
  switch (channel.type) {
    case 'webhook':
      return (
        <>
          <WebhookFields {...props} />
          <Together {...props} usual={1_000} />
        </>
      )
    case 'apprise':
      return (
        <>
          <AppriseFields {...props} />
          <Together {...props} usual={3} />
        </>
      )
    case 'browser':
      return (
        <>
          <Switch
            size="xs"
            label="With a sound"
            checked={channel.sound}
            onChange={(event) => edit({ sound: event.currentTarget.checked })}
          />
          <Permission />
          <Together {...props} usual={10} />
        </>
      )
    default:
      return <Together channel={channel} path={path} edit={edit} usual={1_000} />
  }
}

function AppriseFields({ channel, path, edit }: ChannelFieldsProps) {
  const { errorAt } = useForm()
  return (
    <>
      <SecretField
        label="URL of the service"
        description="As apprise has it, such as tgram://TOKEN/CHAT; or env:NAME for an environment variable of the server."
        placeholder="ntfys://ntfy.sh/my-topic"
        value={channel.url}
        error={errorAt(`${path}.url`)}
        onChange={(url) => edit({ url })}
      />
      <TextInput
        size="xs"
        label="Title"
        description="Optional; takes the fields of the text."
        placeholder="{{asset}} {{clarity_level}}"
        value={channel.title}
        error={errorAt(`${path}.title`)}
        onChange={(event) => edit({ title: event.currentTarget.value })}
      />
    </>
  )
}

/** What becomes of many alerts at once, and of late ones. */
function Together({ channel, path, edit, usual }: ChannelFieldsProps & { usual: number }) {
  const { errorAt } = useForm()
  const error = errorAt(`${path}.coalesce_above`)
  return (
    <Fold
      className={classes.more}
      summary="Many at once, and late ones"
      initially={channel.coalesce !== '' || channel.dropExpired}
      forced={error !== undefined}
    >
      <TextInput
        size="xs"
        label="More than so many are sent as one message"
        inputMode="numeric"
        placeholder={String(usual)}
        value={channel.coalesce}
        error={error}
        onChange={(event) => edit({ coalesce: event.currentTarget.value })}
      />
      <Switch
        size="sm"
        mt={10}
        label="Drop alerts that could not be delivered until they expired"
        checked={channel.dropExpired}
        onChange={(event) => edit({ dropExpired: event.currentTarget.checked })}
      />
    </Fold>
  )
}
