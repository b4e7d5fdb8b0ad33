#!/bin/sh
# Prints the path of a program that tests need: chromium, redis-server, postgres or nginx. Where there is none, it
# installs Debian's package if it can, without letting it start a service. A variable (CHROMIUM, REDIS_SERVER, POSTGRES,
# NGINX) names another one.
set -eu

case "${1:-}" in
  chromium)
    # The shell first: without the interface of the browser it starts and opens windows with less work.
    variable=CHROMIUM package=chromium-headless-shell purpose="The tests of the dashboard"
    names="chromium-headless-shell chromium chromium-browser google-chrome-stable google-chrome"
    ;;
  redis-server)
    variable=REDIS_SERVER package=redis-server purpose="The tests over Redis"
    names="redis-server"
    ;;
  postgres)
    # Debian keeps the server off the PATH.
    variable=POSTGRES package=postgresql purpose="The tests of the shared database"
    names="postgres /usr/lib/postgresql/*/bin/postgres"
    ;;
  nginx)
    variable=NGINX package=nginx-light purpose="The tests of the load balancer"
    names="nginx /usr/sbin/nginx"
    ;;
  *)
    echo "usage: $0 chromium|redis-server|postgres|nginx" >&2
    exit 2
    ;;
esac

find_it() {
  for name in $names; do
    command -v "$name" && return
  done
  return 1
}

# Packages of servers start them; this is Debian's way to say no.
install_it() {
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package"
}

eval "named=\${$variable:-}"
if [ -n "$named" ]; then
  if ! command -v "$named"; then
    echo "$variable is $named, and there is no such program." >&2
    exit 1
  fi
  exit
fi
find_it && exit
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  echo "Installing $package (once)" >&2
  # What it prints is of interest only when it fails.
  if output=$( (install_it) 2>&1) && find_it; then
    exit
  fi
  printf '%s\n' "${output:-}" >&2
fi
echo "$purpose need $1. Install it (Debian: apt-get install $package), or name one: $variable=/path/to/$1 make test" >&2
exit 1
