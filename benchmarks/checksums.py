"""The bits that training makes: a SHA-256 for each recipe, to compare before and after a change.

    python benchmarks/checksums.py [RECIPE ...] [--epochs 2] [--seed 0] [--train-images N]
                                   [--data NAME]

A change that should alter no number leaves every line as it was, on one machine and build. A sum is
that of the last checkpoint's tensors, which hold weights, BatchNorm's statistics and the state of
both optimisers, followed by that of the last snapshot's images.
"""

import argparse
import hashlib
import tempfile
from pathlib import Path

import counterfeit
from counterfeit import recipe
from counterfeit.training import loop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", default=recipe.names())
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--train-images", type=int)
    parser.add_argument("--data", help="instead of the recipe's")
    options = parser.parse_args()
    for name in options.recipes:
        spec = counterfeit.load_recipe(name)
        if options.train_images is not None:
            spec = spec.with_values({"data.train_images": options.train_images})
        if options.data is not None:
            spec = spec.with_values({"data.name": options.data})
        with tempfile.TemporaryDirectory() as folder:
            run = loop.train(spec, epochs=options.epochs, seed=options.seed, out=folder)
            print(f"{checksum(run.path, options.epochs)}  {name}", flush=True)


def checksum(run: Path, epochs: int) -> str:
    """Of the newest checkpoint and the last epoch's snapshot."""
    newest = max((run / "checkpoints").glob("step-*.safetensors"))
    content = hashlib.sha256(newest.read_bytes())
    content.update((run / "snapshots" / f"epoch-{epochs:04d}.npz").read_bytes())
    return content.hexdigest()


if __name__ == "__main__":
    main()
