"""Many trainings that answer one question: recipes, data sets and seeds, on any number of
machines."""
