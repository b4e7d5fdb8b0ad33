"""Market data: files and feeds in, candles and bars out."""
