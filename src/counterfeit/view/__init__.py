"""Pages that a local server shows; what they show is made elsewhere."""
