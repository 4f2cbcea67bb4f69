"""The playground: games in one and two dimensions, whose theory can be seen."""
