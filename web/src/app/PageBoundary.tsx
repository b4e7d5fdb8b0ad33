import { Component, type ReactNode, Suspense } from 'react'
import { PageError } from './PageError.tsx'
import { PageSkeleton } from './PageSkeleton.tsx'

interface PageBoundaryProps {
  /** Of the page; another page is tried afresh. */
  address: string
  children: ReactNode
}

interface Failed {
  readonly error: unknown
  readonly address: string
}

/** Substitute for a page: a skeleton while its code loads, words when it fails. The frame around it stays. */
export class PageBoundary extends Component<PageBoundaryProps, { failed: Failed | null }> {
  override state: { failed: Failed | null } = { failed: null }

  static getDerivedStateFromError(error: unknown) {
    // React asks for the state before it knows the props; the address follows in the next method.
    return { failed: { error, address: '' } }
  }

  static getDerivedStateFromProps({ address }: PageBoundaryProps, { failed }: { failed: Failed | null }) {
    if (failed === null) return null
    if (failed.address === '') return { failed: { ...failed, address } }
    return failed.address === address ? null : { failed: null }
  }

  override render() {
    const { failed } = this.state
    if (failed !== null) return <PageError error={failed.error} />
    return <Suspense fallback={<PageSkeleton />}>{this.props.children}</Suspense>
  }
}
