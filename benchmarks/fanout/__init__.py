"""States to many clients: how fast, beside the least that a server in C does for it on the same machine.

`client.c` is all clients at once, `reference.c` the server in C. What is to be measured (`candidates.py`) takes turns,
each on a core of its own beside that of the clients. Other work on the machine slows the clock, so rates are those of
the processor time that a server takes; where its core is its own, both are the same.
"""
