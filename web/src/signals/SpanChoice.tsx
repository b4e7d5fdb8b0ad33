import { NativeSelect } from '@mantine/core'
import { useSearchParams } from 'react-router'
import { useChangedAddress } from '../app/address.ts'
import { AssetsChoice } from './AssetsChoice.tsx'
import { Days } from './Days.tsx'
import { Ignored } from './Ignored.tsx'
import classes from './SignalsPage.module.css'
import { DEFAULT_SPAN, ignoredSpanOf, SPANS, spanOf } from './span.ts'

/** Which bars are judged, in the address: of which assets, and from when to when. */
export function SpanChoice({ children }: { children?: React.ReactNode }) {
  const [address] = useSearchParams()
  const change = useChangedAddress()
  const { word } = spanOf(address)
  const words = SPANS.map(({ word: value, title }) => ({ value, label: title }))
  const ignored = ignoredSpanOf(address)
  return (
    <search className={classes.filters}>
      <AssetsChoice />
      <NativeSelect
        size="xs"
        aria-label="Span"
        data-page-filter
        value={word}
        data={word === 'days' ? [{ value: 'days', label: 'These days:' }, ...words] : words}
        onChange={({ currentTarget: { value } }) =>
          change({ span: value === DEFAULT_SPAN ? null : value, since: null, until: null })
        }
      />
      <Days />
      {children}
      {ignored.length > 0 && <Ignored sentences={ignored} />}
    </search>
  )
}
