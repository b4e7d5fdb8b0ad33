"""Rules of alerts: they are changed through the same door as the configuration, and stand in the same history."""
