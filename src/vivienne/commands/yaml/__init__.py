"""Configuration in YAML files: all layers at once, out of a database and into one."""
