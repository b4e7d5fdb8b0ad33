import { TextInput } from '@mantine/core'
import { useAddressText } from '../app/address.ts'
import { isDay } from './days.ts'

/** Stands for a day of which not everything is typed: the browser says nothing of it but that it is no day. */
export const HALF = 'half'

interface DayFieldProps {
  /** Its name in the address. */
  name: string
  label: string
}

/** A day of the calendar in the address. Only a whole one goes there: a year is typed digit by digit, and so is a day. */
export function DayField({ name, label }: DayFieldProps) {
  const [typed, setTyped, settle] = useAddressText(name, isWholeDay)
  const value = shownDay(typed)
  return (
    <TextInput
      size="xs"
      type="date"
      max="9999-12-31"
      aria-label={label}
      value={value}
      onChange={({ currentTarget: field }) => setTyped(typedDay(field.value, field.validity.badInput))}
      onKeyDown={({ key }) => {
        if (key === 'Enter' && isWholeDay(typed)) settle()
      }}
      onBlur={({ currentTarget: field }) => {
        // What was half typed is known to the field alone: an empty value does not empty it.
        const left = shownDay(settle())
        if (field.value !== left || field.validity.badInput) field.value = left
      }}
    />
  )
}

/** What is typed: a day, nothing, or what will be a day. */
export function typedDay(value: string, isBad: boolean): string {
  return value === '' && isBad ? HALF : value
}

/** What may go into the address. */
export function isWholeDay(typed: string): boolean {
  return typed === '' || isDay(typed)
}

/** A field takes days only. */
function shownDay(typed: string): string {
  return typed === HALF ? '' : typed
}
