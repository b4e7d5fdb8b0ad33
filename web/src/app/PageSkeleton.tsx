import { Skeleton } from '@mantine/core'

/** While the code of a page is on its way for the first time. */
export function PageSkeleton() {
  return (
    <div aria-hidden>
      <Skeleton height={28} width={220} mb={16} />
      <Skeleton height={360} />
    </div>
  )
}
