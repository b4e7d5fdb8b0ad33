/** Every page, each in a state worth looking at, and what tells that it is there. */
export const PAGES = [
  { name: 'overview', address: '/', heading: 'Overview' },
  { name: 'asset with its configuration', address: '/assets/BTC?panel=configuration', heading: 'BTC' },
  { name: 'asset with its history', address: '/assets/BTC?panel=history', heading: 'BTC' },
  { name: 'signals', address: '/signals', heading: 'Signals' },
  { name: 'setups', address: '/signals/setups', heading: 'Setups' },
  { name: 'paper account', address: '/signals/account', heading: 'Paper account' },
  { name: 'alerts', address: '/alerts', heading: 'Alerts' },
  { name: 'new rule', address: '/alerts?rule=new', heading: 'Alerts' },
  { name: 'deliveries', address: '/alerts/deliveries', heading: 'Deliveries' },
  { name: 'configuration', address: '/configuration', heading: 'Configuration' },
  { name: 'history', address: '/history', heading: 'History' },
  { name: 'a change', address: '/history/0?asset=BTC', heading: 'Version 0' },
  { name: 'logs', address: '/logs', heading: 'Logs' },
  { name: 'unknown asset', address: '/assets/DOGE', heading: 'There is no asset DOGE' },
  { name: 'unknown address', address: '/nowhere', heading: 'Page not found' },
] as const

/** Those the navigation leads to, by their names there. */
export const NAVIGATION = ['Overview', 'Signals', 'Alerts', 'Configuration', 'History', 'Logs'] as const
