"""Types of all messages and answers on the wire."""
