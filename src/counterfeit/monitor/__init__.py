"""A training loop that is not ours writes a run directory, and is told what goes wrong.

It is diagnosed while it goes on, so this room stands to the right of `insight`.
"""

from counterfeit.monitor.monitor import Monitor

__all__ = ["Monitor"]
