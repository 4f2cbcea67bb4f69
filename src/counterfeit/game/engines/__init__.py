"""Ways to compute an update, each held to the plain step."""
