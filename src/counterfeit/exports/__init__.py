"""A run's networks taken away: to files that need no counterfeit.

`portable` makes a player of a run ready: in plain PyTorch, its pixels in [0, 1]. The files beside
it write that in a format, and compare it with the run's own network. `export` does both.
"""

from counterfeit.exports.formats import export
from counterfeit.exports.onnx import to_onnx
from counterfeit.exports.portable import Portable, portable

__all__ = ["Portable", "export", "portable", "to_onnx"]
