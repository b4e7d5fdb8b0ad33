"""The door: a request becomes a revision in force."""
