"""A market of candles and trades that other programs push."""
