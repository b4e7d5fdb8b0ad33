"""Alerts as they are sent: decided on closed bars, kept until they are delivered."""
