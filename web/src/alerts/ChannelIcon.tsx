import { IconBell, IconDeviceMobileMessage, IconStack2, IconWebhook } from '@tabler/icons-react'
import type { ChannelType } from './words.ts'

const ICONS: Readonly<Record<ChannelType, typeof IconBell>> = {
  browser: IconBell,
  webhook: IconWebhook,
  apprise: IconDeviceMobileMessage,
  redis: IconStack2,
}

/** The picture of a type of channel, always beside its name. */
export function ChannelIcon({ type, size = 16 }: { type: ChannelType; size?: number }) {
  const Icon = ICONS[type]
  return <Icon size={size} stroke={1.7} aria-hidden />
}
