"""``python -m vivienne`` is the ``vivienne`` command."""

from vivienne.commands.main import main

if __name__ == "__main__":
    main()
