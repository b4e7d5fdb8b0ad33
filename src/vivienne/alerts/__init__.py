"""Rules of alerts, pure: what a rule is, what happened, and which rules it concerns."""
