"""Every target of the version that sends less, measured beside another checkout in one run.

Each module is about one row or a few that belong together; `table.py` is what comes of them. Rows of states to many
clients are those of `fanout`.
"""
