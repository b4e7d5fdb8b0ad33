"""Where market data comes from, behind one protocol."""
