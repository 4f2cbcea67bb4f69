"""What a run directory shows: findings, charts, a verdict, and one page that explains them."""
