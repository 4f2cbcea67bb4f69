"""Training: one adversarial update (`step`), and a run from start to end (`loop`)."""
