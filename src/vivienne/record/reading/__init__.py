"""Reading the record: pages of decisions, explanations, older bars, exports."""
