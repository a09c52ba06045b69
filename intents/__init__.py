"""What a text means: pure functions over editable word lists. No network, no clock, no database."""
