"""A slow and plain program that decides bars; it is written from docs/decisions.md and shares no line with the agent.

It computes one bar after the other with lists and floats. If the two disagree, one of them or the page is wrong.
"""
