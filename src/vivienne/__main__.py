"""The `vivienne` command, also as ``python -m vivienne``."""

import signal
import sys


def main() -> None:
    """Run the command. Only what it needs at once is loaded before."""
    if sys.argv[1:2] == ["serve"]:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # loading takes a second, and a reload must not end the process
    from vivienne.commands.main import main as run  # noqa: PLC0415  # see above

    run()


if __name__ == "__main__":
    main()
