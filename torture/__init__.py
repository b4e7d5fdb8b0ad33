"""What Vivienne survives: faults on purpose, in numbers. `python -m torture` runs them.

Each module here with a function `measure` is a row, by its name; the defaults of the keywords of `measure` are the long
form. The short forms are in ``tests/torture``.
"""
