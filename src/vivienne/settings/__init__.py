"""Boot settings: what cannot be tuned live."""
