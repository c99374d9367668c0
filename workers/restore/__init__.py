"""The way back: what is kept of removals, the plan of a restore, and its execution. It removes nothing."""
