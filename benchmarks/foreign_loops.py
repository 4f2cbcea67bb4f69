"""Loops as others write them, healthy ones and ones broken on purpose, each watched by a Monitor.

    python benchmarks/foreign_loops.py [NAME ...] [--epochs 40] [--out FOLDER]

It trains each on scikit-learn's digits, which takes seconds, and prints what was found beside what
had to be: recall is the share of the `must` findings that were made, precision the share of all
findings that had to or might be made. Half of the loops were looked at when thresholds were set;
the others (`held_out`) were not.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

import counterfeit
from counterfeit import data
from counterfeit.monitor.kept import Outputs

Z = 16
BATCH = 64


def perceptron_generator(last: nn.Module, *, batch_norm: bool = True) -> nn.Module:
    def block(inputs: int, outputs: int) -> list[nn.Module]:
        norm = [nn.BatchNorm1d(outputs)] if batch_norm else []
        return [nn.Linear(inputs, outputs), *norm, nn.ReLU()]

    return nn.Sequential(*block(Z, 64), *block(64, 128), nn.Linear(128, 64), last)


def perceptron(last: nn.Module | None = None, dropout: float = 0.3) -> nn.Module:
    layers = [nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Dropout(dropout), nn.Linear(128, 64)]
    return nn.Sequential(
        nn.Flatten(), *layers, nn.LeakyReLU(0.2), nn.Linear(64, 1), *([last] if last else [])
    )


class ConvolutionalGenerator(nn.Module):
    """DCGAN's (Radford et al. 2016, arXiv 1511.06434), for 8 x 8 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(Z, 64, 4, 1, 0, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(True),
            nn.ConvTranspose2d(64, 1, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, z: Tensor) -> Tensor:
        images: Tensor = self.main(z.view(-1, Z, 1, 1))
        return images


def convolutional(*, spectral: bool = False) -> nn.Module:
    convolutions: list[nn.Module] = [nn.Conv2d(1, 32, 4, 2, 1), nn.Conv2d(32, 64, 4, 2, 1)]
    if spectral:  # Miyato et al. 2018 (arXiv 1802.05957)
        convolutions = list(map(spectral_norm, convolutions))
    first, second = convolutions
    return nn.Sequential(
        first, nn.LeakyReLU(0.2), second, nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(256, 1)
    )


def cross_entropy(outputs: str) -> Callable[[Tensor, float], Tensor]:
    loss = (
        F.binary_cross_entropy if outputs == "probabilities" else F.binary_cross_entropy_with_logits
    )
    return lambda answers, label: loss(answers, torch.full_like(answers, label))


@dataclass
class Loop:
    """One loop, and what must and may be found in it."""

    must: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()
    held_out: bool = False
    generator: Callable[[], nn.Module] = lambda: perceptron_generator(nn.Tanh())
    discriminator: Callable[[], nn.Module] = perceptron
    outputs: Outputs = "logits"
    loss: str = "cross-entropy"
    """Or `wasserstein` with a gradient penalty, `hinge`, or `least-squares`."""
    critic_steps: int = 1
    lr: tuple[float, float] = (2e-3, 1e-3)
    """Of G and of D."""
    scale: Callable[[Tensor], Tensor] = lambda images: images / 127.5 - 1
    """From bytes to what D is shown."""
    label: float = 1.0
    """What D is told of real images; 1 less it of generated ones."""
    sign: float = 1.0
    """Of a critic's loss."""
    latents: str = "fresh"
    """Or `one batch`, or `reseeded` at each epoch's start."""
    sampling: str = "eval"
    """How images are drawn at an epoch's end: in `eval` mode and back, in `train` mode from the
    fixed latents or from `other` ones, or in eval mode that is `left` so."""


def one(*names: str) -> frozenset[str]:
    return frozenset(names)


BROKEN_IMAGES = one(
    "mode-collapse", "partial-mode-collapse", "no-progress", "garbage-passes", "best-long-ago",
    "discriminator-overpowering", "saturated-outputs", "mode-hopping", "batchnorm-gap",
    "gradient-explosion", "unlike-real-images",
)  # fmt: skip
"""What may come of a loop that cannot train; none of it is wrong to say."""

WASSERSTEIN = Loop(outputs="scores", loss="wasserstein", critic_steps=3, lr=(1e-3, 1e-3))

LOOPS: dict[str, Loop] = {
    # Looked at when thresholds were set.
    "perceptrons": Loop(),
    "the article's": Loop(
        generator=lambda: perceptron_generator(nn.Sigmoid()),
        discriminator=lambda: perceptron(nn.Sigmoid(), 0.5),
        outputs="probabilities",
        scale=lambda images: images / 255,
        label=0.95,
    ),
    "wgan-gp": WASSERSTEIN,
    "strong D": Loop(one("discriminator-overpowering"), BROKEN_IMAGES, lr=(1e-5, 1e-2)),
    "collapsed G": Loop(
        one("mode-collapse"),
        BROKEN_IMAGES | {"dead-units"},
        generator=lambda: perceptron_generator(nn.Tanh(), batch_norm=False),
        lr=(5e-2, 1e-3),
    ),
    "samples in train mode": Loop(one("sampled-in-train-mode"), sampling="train"),
    "reals in [0, 1]": Loop(one("wrong-range"), BROKEN_IMAGES, scale=lambda images: images / 255),
    "swapped labels": Loop(one("labels-swapped"), BROKEN_IMAGES, label=0.0),
    "one batch of latents": Loop(one("latents-reused"), BROKEN_IMAGES, latents="one batch"),
    "left in eval mode": Loop(one("trained-in-eval-mode"), BROKEN_IMAGES, sampling="left"),
    # Held out.
    "dcgan": Loop(
        held_out=True,
        generator=ConvolutionalGenerator,
        discriminator=convolutional,
        lr=(1e-3, 5e-4),
    ),
    "sn-gan": Loop(
        held_out=True,
        generator=ConvolutionalGenerator,
        discriminator=lambda: convolutional(spectral=True),
        outputs="scores",
        loss="hinge",
    ),
    "ls-gan": Loop(held_out=True, outputs="scores", loss="least-squares"),
    "strong convolutional D": Loop(
        one("discriminator-overpowering"),
        BROKEN_IMAGES,
        held_out=True,
        generator=ConvolutionalGenerator,
        discriminator=convolutional,
        lr=(1e-6, 5e-3),
    ),
    "collapsed G of a critic": Loop(
        one("mode-collapse"),
        BROKEN_IMAGES,
        held_out=True,
        generator=lambda: perceptron_generator(nn.Tanh(), batch_norm=False),
        outputs="scores",
        loss="hinge",
        lr=(1e-1, 1e-3),
    ),
    "dcgan's samples in train mode": Loop(
        one("sampled-in-train-mode"),
        held_out=True,
        generator=ConvolutionalGenerator,
        discriminator=convolutional,
        lr=(1e-3, 5e-4),
        sampling="other",
    ),
    "reals standardised": Loop(
        one("wrong-range"),
        BROKEN_IMAGES,
        held_out=True,
        generator=ConvolutionalGenerator,
        discriminator=convolutional,
        scale=lambda images: (images / 255 - 0.3) / 0.38,
    ),
    "critic's sign": replace(
        WASSERSTEIN, must=one("labels-swapped"), may=BROKEN_IMAGES, held_out=True, sign=-1.0
    ),
    "seeded at each epoch": Loop(
        one("latents-reused"), BROKEN_IMAGES, held_out=True, latents="reseeded"
    ),
    "dcgan left in eval mode": Loop(
        one("trained-in-eval-mode"),
        BROKEN_IMAGES,
        held_out=True,
        generator=ConvolutionalGenerator,
        discriminator=convolutional,
        lr=(1e-3, 5e-4),
        sampling="left",
    ),
}


def train(loop: Loop, epochs: int, out: Path, seed: int = 0) -> set[str]:
    """Train a loop in front of a Monitor; return the names of all findings."""
    torch.manual_seed(seed)
    images = data.load("digits").images.float()  # (1437, 1, 8, 8)
    G, D = loop.generator(), loop.discriminator()
    optimizer_G = torch.optim.Adam(G.parameters(), lr=loop.lr[0], betas=(0.5, 0.999))
    optimizer_D = torch.optim.Adam(D.parameters(), lr=loop.lr[1], betas=(0.5, 0.999))
    adversarial = cross_entropy(loop.outputs)
    fixed, same = torch.randn(100, Z), torch.randn(BATCH, Z)
    found: set[str] = set()

    def d_loss(real: Tensor, fake: Tensor, x: Tensor, made: Tensor) -> Tensor:
        if loop.loss == "cross-entropy":
            return adversarial(real, loop.label) + adversarial(fake, 1 - round(loop.label))
        if loop.loss == "hinge":
            return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
        if loop.loss == "least-squares":
            return ((real - 1) ** 2).mean() + (fake**2).mean()
        return loop.sign * (fake.mean() - real.mean()) + 10 * gradient_penalty(D, x, made)

    def g_loss(fake: Tensor) -> Tensor:
        if loop.loss == "cross-entropy":
            return adversarial(fake, 1.0)
        return ((fake - 1) ** 2).mean() if loop.loss == "least-squares" else -fake.mean()

    with counterfeit.Monitor(
        G,
        D,
        data="digits",
        latents=fixed,
        d_outputs=loop.outputs,
        out=out,
        quiet=True,
    ) as monitor:
        for _ in range(epochs):
            if loop.latents == "reseeded":
                torch.manual_seed(seed)
            for number, x in enumerate(batches(images)):
                x = loop.scale(x)
                z = same if loop.latents == "one batch" else torch.randn(len(x), Z)
                made = G(z)
                optimizer_D.zero_grad()
                real, fake = D(x), D(made.detach())
                loss_D = d_loss(real, fake, x, made.detach().view_as(x))
                loss_D.backward()  # type: ignore[no-untyped-call]
                optimizer_D.step()
                if number % loop.critic_steps:
                    continue
                optimizer_G.zero_grad()
                loss_G = g_loss(D(made))
                loss_G.backward()  # type: ignore[no-untyped-call]
                optimizer_G.step()
                monitor.update(d_loss=loss_D, g_loss=loss_G, d_real=real, d_fake=fake)
            draw(G, fixed, loop.sampling)
            found |= {finding.name for finding in monitor.epoch()}
    return found


def batches(images: Tensor) -> Iterator[Tensor]:
    order = torch.randperm(len(images))
    return (images[part] for part in torch.split(order, BATCH) if len(part) == BATCH)


def draw(G: nn.Module, fixed: Tensor, sampling: str) -> None:
    """Draw images, as people do at an epoch's end."""
    if sampling in ("eval", "left"):
        G.eval()
    with torch.no_grad():
        G(torch.randn(25, Z) if sampling == "other" else fixed)
    if sampling == "eval":
        G.train()


def gradient_penalty(D: nn.Module, x: Tensor, made: Tensor) -> Tensor:
    """Gulrajani et al. 2017 (arXiv 1704.00028)."""
    between = torch.lerp(x, made, torch.rand(len(x), 1, 1, 1)).requires_grad_()
    (slope,) = torch.autograd.grad(D(between).sum(), between, create_graph=True)
    penalty: Tensor = ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
    return penalty


@dataclass
class Tally:
    made: int = 0
    missed: int = 0
    wrong: int = 0
    lines: list[str] = field(default_factory=list)

    def add(self, name: str, loop: Loop, found: set[str]) -> None:
        missed, wrong = loop.must - found, found - loop.must - loop.may
        self.made += len(found & loop.must)
        self.missed += len(missed)
        self.wrong += len(wrong)
        listed = [", ".join(sorted(names)) or "–" for names in (loop.must, found, missed | wrong)]
        self.lines.append(f"| {name} | {' | '.join(listed)} |")

    def __str__(self) -> str:
        recall = self.made / max(1, self.made + self.missed)
        precision = self.made / max(1, self.made + self.wrong)
        head = ["| loop | must | found | mistakes |", "|---|---|---|---|"]
        return "\n".join([*head, *self.lines, f"\nrecall {recall:.2f}, precision {precision:.2f}"])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=[])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--half", choices=("looked at", "held out"))
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    out = given.out or Path(tempfile.mkdtemp())
    for half, held_out in (("looked at", False), ("held out", True)):
        tally = Tally()
        for name, loop in LOOPS.items():
            chosen = name in given.names if given.names else loop.held_out == held_out
            if chosen and loop.held_out == held_out and given.half in (None, half):
                tally.add(name, loop, train(loop, given.epochs, out, given.seed))
        if tally.lines:
            print(f"{half}\n\n{tally}\n")


if __name__ == "__main__":
    main()
