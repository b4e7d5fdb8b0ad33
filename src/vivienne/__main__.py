"""``python -m vivienne`` is the ``vivienne`` command."""

from vivienne.cli import main

if __name__ == "__main__":
    main()
