"""What a Monitor adds to the article's own code: to its step, and at an epoch's end.

    python benchmarks/monitor_cost.py [RECIPE] [--pairs 30] [--data mnist] [--device cpu]

Two trainings from the same start, one of them watched, take turns of 100 updates, each with its row
of the log; a pair of turns gives one ratio of the process's own seconds (of the clock's on a GPU,
which is waited for). The images are in memory, where the article's DataLoader would take time as
well. An epoch's end is timed apart, with the data to compare with.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor, nn

from counterfeit import data, recipe
from counterfeit.monitor import Monitor
from plain import networks, optimizer


class Training:
    """The article's loop: BCELoss of probabilities, real and fake images through D apart."""

    def __init__(self, spec: recipe.Recipe, images: Tensor, device: torch.device) -> None:
        torch.manual_seed(0)
        self.spec, self.images, self.device = spec, images, device
        self.G, self.D = (network.to(device) for network in networks(spec))
        self.optimizer_G = optimizer(self.G, spec.generator.trained_with)
        self.optimizer_D = optimizer(self.D, spec.discriminator.trained_with)
        self.monitor: Monitor | None = None

    def updates(self, count: int) -> None:
        batch, bce = self.spec.training.batch_size, nn.BCELoss()
        ones = torch.ones(batch, 1, device=self.device)
        zeros = torch.zeros(batch, 1, device=self.device)
        for chosen in torch.randint(len(self.images), (count, batch)):
            real = self.images[chosen].to(self.device)
            z = torch.randn(batch, self.spec.latent.dim, device=self.device)
            self.optimizer_D.zero_grad()
            fake = self.G(z)
            d_real, d_fake = self.D(real), self.D(fake.detach())
            d_loss = bce(d_real, ones) + bce(d_fake, zeros)
            d_loss.backward()
            self.optimizer_D.step()
            self.optimizer_G.zero_grad()
            g_loss = bce(self.D(fake), ones)
            g_loss.backward()
            self.optimizer_G.step()
            if self.monitor is not None:
                self.monitor.update(d_loss=d_loss, g_loss=g_loss, d_real=d_real, d_fake=d_fake)


def seconds(work: Callable[[], object], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
        begun = time.perf_counter()
        work()
        torch.cuda.synchronize()
        return time.perf_counter() - begun
    begun = time.process_time()
    work()
    return time.process_time() - begun


def quartiles(values: list[float]) -> tuple[float, float, float]:
    ordered = sorted(values)
    return ordered[len(ordered) // 4], median(ordered), ordered[3 * len(ordered) // 4]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipe", nargs="?", default="sgd")
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--turn", type=int, default=100, help="updates; as many as a row has")
    parser.add_argument("--epochs", type=int, default=3, help="whose ends are timed")
    parser.add_argument("--data", default="mnist", help="or a folder of IDX files of 28x28 images")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    device = torch.device(options.device)
    torch.set_num_threads(1)
    spec = recipe.load(options.recipe)
    images = data.load(options.data).images.flatten(1).float() / 255
    alone, watched = (Training(spec, images, device) for _ in range(2))
    with Monitor(
        watched.G,
        watched.D,
        data=options.data,
        latents=torch.randn(100, spec.latent.dim, device=device),
        d_outputs="probabilities",
        out=tempfile.mkdtemp(),
        quiet=True,
    ) as monitor:
        watched.monitor = monitor
        plain, ratios, epochs = [], [], []
        for pair in range(options.pairs + 1):
            turns: dict[Training, float] = {}
            for training in (alone, watched) if pair % 2 else (watched, alone):
                turns[training] = seconds(lambda each=training: each.updates(options.turn), device)  # type: ignore[misc]
            if pair:  # the first warms up
                plain.append(1000 * turns[alone] / options.turn)
                ratios.append(100 * (turns[watched] / turns[alone] - 1))
        for _ in range(options.epochs):
            epochs.append(seconds(monitor.epoch, device))
            watched.updates(options.turn)
    low, middle, high = quartiles(ratios)
    print(
        f"{spec.name}: a step {median(plain):.2f} ms; watched {middle:+.2f} % of it in the median"
    )
    print(
        f"of {len(ratios)} pairs of {options.turn} updates, quartiles {low:+.2f} and {high:+.2f} %"
    )
    print(f"an epoch's end: {median(epochs):.2f} s of {', '.join(f'{s:.2f}' for s in epochs)}")


if __name__ == "__main__":
    main()
