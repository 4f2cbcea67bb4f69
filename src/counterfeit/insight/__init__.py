"""What a run directory shows: `figures` (pictures) and `report` (one page that explains them)."""
