"""A run's networks taken away: to files that need no counterfeit.

`portable` makes a player of a run ready, in plain PyTorch, its pixels in [0, 1]; what stands beside
it here writes that in a format, after comparing it with the run's own network.
"""

from counterfeit.exports.onnx import to_onnx
from counterfeit.exports.portable import Portable, portable

__all__ = ["Portable", "portable", "to_onnx"]
