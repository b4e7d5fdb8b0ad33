// Sets the colour scheme before anything is painted; a file of its own because inline scripts are not allowed here.
;(() => {
  let scheme
  try {
    scheme = localStorage.getItem('vivienne-color-scheme')
  } catch {
    // Storage may be denied; the system's scheme will do.
  }
  if (scheme !== 'dark' && scheme !== 'light')
    scheme = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark'
  document.documentElement.setAttribute('data-mantine-color-scheme', scheme)
})()
