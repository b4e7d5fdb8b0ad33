"""One file for each migration, numbered: its number is the schema it leads to."""
