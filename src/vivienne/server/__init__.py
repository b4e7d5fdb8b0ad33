"""The web application around the parts."""
