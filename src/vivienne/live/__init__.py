"""The live path: from feeds to decisions to states."""
