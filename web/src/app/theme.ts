import { type CSSVariablesResolver, createTheme } from '@mantine/core'

/** Ids of colours the canvas of the chart needs; everything else uses the CSS variables. */
export const theme = createTheme({
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, monospace",
  primaryColor: 'blue',
  primaryShade: 8,
  autoContrast: true,
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  colors: {
    dark: [
      '#d5d9e2',
      '#b4bac8',
      '#949cad',
      '#6b7386',
      '#3a4152',
      '#2a303e',
      '#1c212c',
      '#14171f',
      '#0f1218',
      '#0a0c11',
    ],
  },
})

/**
 * Colours with a meaning. Long and short are blue and orange, which every common kind of colour blindness keeps apart;
 * levels go from grey over violet and yellow to a striking red. Colour is never alone: words and shapes go with it.
 */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {
    '--v-loud-warn': '#f2a93b',
    '--v-loud-warn-text': '#1d1400',
    '--v-loud-bad': '#c8123a',
    '--v-loud-bad-text': '#ffffff',
  },
  dark: {
    '--v-surface': 'var(--mantine-color-dark-7)',
    '--v-raised': 'var(--mantine-color-dark-6)',
    '--v-line': 'var(--mantine-color-dark-5)',
    '--v-text': '#dfe3ea',
    '--v-dimmed': '#98a1b3',
    '--v-long': '#6db3ff',
    '--v-short': '#ff9f4a',
    '--v-idle': '#959eb1',
    '--v-loaded': '#b79cff',
    '--v-aim': '#ffd84d',
    '--v-bang': '#ff3d5e',
    '--v-bang-text': '#16040a',
    '--v-tint': '24%',
    '--v-track': '#262c39',
    '--v-spark': '#8fa3c4',
    '--v-good': '#57d39b',
    '--v-warn': '#ffb547',
    '--v-bad': '#ff7a85',
    '--v-flash': 'rgba(109, 179, 255, 0.18)',
    '--mantine-color-dimmed': '#98a1b3',
    '--mantine-color-error': '#ff7a85',
  },
  light: {
    '--v-surface': '#ffffff',
    '--v-raised': '#f6f7f9',
    '--v-line': '#dfe3e9',
    '--v-text': '#1a1e27',
    '--v-dimmed': '#5a6375',
    '--v-long': '#0b63c5',
    '--v-short': '#b04a00',
    '--v-idle': '#646d7e',
    '--v-loaded': '#6a3fd4',
    '--v-aim': '#785700',
    '--v-bang': '#d3133a',
    '--v-bang-text': '#ffffff',
    '--v-tint': '13%',
    '--v-track': '#e1e5ec',
    '--v-spark': '#6b7c9b',
    '--v-good': '#0d7a4b',
    '--v-warn': '#935f00',
    '--v-bad': '#c2182b',
    '--v-flash': 'rgba(11, 99, 197, 0.16)',
    '--mantine-color-dimmed': '#5a6375',
    '--mantine-color-error': '#c2182b',
  },
})
