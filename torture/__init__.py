"""What Vivienne survives: faults on purpose, in numbers. One module for each; `python -m torture` runs them.

Each has `measure`, whose defaults are the long form. The short forms are in ``tests/torture``.
"""
