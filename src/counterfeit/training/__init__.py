"""Training: a run from start to end (`loop`), and a new one from where another is (`fork`)."""
