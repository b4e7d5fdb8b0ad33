"""What came of decisions: pure functions over recorded bars."""
