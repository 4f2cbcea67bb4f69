"""Standard trials of mode coverage: data whose modes are known, and how many of them a game finds
(docs/trials.md)."""
