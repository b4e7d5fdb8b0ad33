"""What goes out: states and log records, to everyone who watches."""
