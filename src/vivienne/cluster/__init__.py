"""Several processes: agents and gateways."""
