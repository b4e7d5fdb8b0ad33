"""The live path: from feeds through decisions to states."""
