"""What each trick of the trade is worth: one change of a recipe each, judged by studies."""
