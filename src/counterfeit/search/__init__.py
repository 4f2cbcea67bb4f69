"""A search for values of a recipe that make it better: what is tried, how long, and what is
certain in the end."""
