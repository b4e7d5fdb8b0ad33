"""Real markets: adapters that speak the protocols of exchanges, and the connection that drives them."""
