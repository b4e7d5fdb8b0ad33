"""Downloads of an exchange's history into a file that a replay reads.

What has come is in a partial file beside it, so that an interrupted download goes on where it ended.
"""
