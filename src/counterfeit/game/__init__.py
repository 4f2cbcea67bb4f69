"""The adversarial update and nothing else: what is played for, how both move, and all its state."""
