"""`Run`: a training on disk, and what can be made of it: its data, its networks, new images."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Self, get_args

from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from counterfeit import arguments, data
from counterfeit.arguments import StrPath
from counterfeit.errors import CannotWrite, CounterfeitError, UsageError
from counterfeit.files import write_whole
from counterfeit.game.inputs import draw_classes, draw_latents, set_category
from counterfeit.networks.own import Kind, Own
from counterfeit.run import asked, own, provenance, snapshots, stored
from counterfeit.run.asked import Asked
from counterfeit.run.checkpoint import Checkpoint
from counterfeit.run.directory import Directory
from counterfeit.run.sampler import generate, rebuild
from counterfeit.seeds import stream

logger = logging.getLogger(__name__)


class Run(Directory):
    """A training on disk, finished or not."""

    _held: data.ImageData | None = None
    _own: Mapping[Kind, Own] = MappingProxyType({})

    display: ClassVar[Callable[["Run"], str] | None] = None
    """Makes a fragment of HTML of a run. `insight`, which stands to the right, puts it here."""

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    def _repr_html_(self) -> str | None:
        """For notebooks, which show `repr` where it gives nothing."""
        if Run.display is not None:
            with suppress(Exception):  # whatever is wrong with its files, a cell shall not fail
                return Run.display(self)
        return None

    # What it is trained on.

    @property
    def data_dir(self) -> Path | None:
        """Where its data set is kept, if not in the usual folder."""
        folder = self.environment.get("data_dir")
        return Path(folder) if folder else None

    @property
    def trained_on(self) -> data.Identity | None:
        """What its training split was; None for a run of an earlier version."""
        recorded = self.environment.get("data", {}).get("train")
        return data.Identity.from_json(recorded) if recorded else None

    def load_split(self, split: data.Split) -> data.ImageData:
        """A whole split of the run's data, of which it trains on a part or all.

        Raises:
            CounterfeitError: it cannot be had, or is not what the run was made with.
        """
        if split == "validation":
            return self.load_split("train").validation
        if split == "train" and self._held is not None:
            return self._held
        return provenance.load(self.path, self.environment, self.recipe.data, split, self.data_dir)

    def load_data(self, split: data.Split = "train") -> data.ImageData:
        """The images that the run trains on, or those of another split.

        Raises:
            CounterfeitError: they cannot be had, or are not those that the run was made with.
        """
        loaded = self.load_split(arguments.one_of("split", split, get_args(data.Split)))
        return loaded.first(self.recipe.data.train_images) if split == "train" else loaded

    @contextmanager
    def holding(self, train: data.ImageData) -> Iterator[None]:
        """While the block runs, the training split is this one, and is not read again."""
        self._held = train
        try:
            yield
        finally:
            self._held = None

    def find_data(self, name: str | None = None, data_dir: StrPath | None = None) -> None:
        """Look for the run's data elsewhere from now on.

        Args:
            name: of the data, or the folder where they lie now.
            data_dir: where published sets are kept now.

        Raises:
            CounterfeitError: they cannot be had there, or are not those that the run was made
                with.
        """
        if data_dir is not None:
            data_dir = arguments.path("data_dir", data_dir).resolve()
        name = self.recipe.data.name if name is None else name
        place = name, data_dir or self.data_dir
        moved = provenance.moved(self.path, self.environment, self.recipe, *place)
        if moved is None:
            return
        environment, spec = moved
        try:
            write_whole(self.path / "environment.json", json.dumps(environment, indent=2).encode())
            self.change_recipe(spec)
        except CannotWrite as error:  # a run that may only be read
            logger.warning("%s Where its data lie is not kept.", error)
        self.__dict__ |= {"environment": environment, "recipe": spec}

    # Its snapshots' latents, and what there are images of.

    def history(self) -> Float[Tensor, "100 z"]:
        """The latents of all its snapshots, on the CPU.

        Raises:
            CounterfeitError: they were drawn on a GPU, by an older version.
        """
        if (seed := self.environment["history_seed"]) is None:
            raise CounterfeitError(
                f"{self.path} is of an older version, which drew its snapshots' latents on the GPU;"
                " with --fork a new run goes on from it."
            )
        return draw_latents(self.recipe.latent, snapshots.SNAPSHOT_IMAGES, stream(seed, "history"))

    @property
    def history_classes(self) -> Int64[Tensor, " 100"] | None:
        """The classes that they are asked for, as many of each, in order; None where none are."""
        classes = len(self.classes)
        return asked.evenly(snapshots.SNAPSHOT_IMAGES, classes) if classes else None

    def newest(self) -> Checkpoint | stored.Samples:
        """The newest state that there are images of: a checkpoint, or the samples that are kept.

        Raises:
            CounterfeitError: there is none.
        """
        if not self.is_custom:
            return self.checkpoint()
        if (kept := self.stored_samples) is None:
            raise CounterfeitError(
                f"{self.path} keeps no samples yet, and only the code that trains its generator can"
                " make some."
            )
        return kept

    @property
    def sampled_steps(self) -> list[int]:
        """The steps of which there are images to be had."""
        if not self.is_custom:
            return self.checkpoint_steps
        return [] if (kept := self.stored_step) is None else [kept]

    def step_at(self, epoch: int) -> int:
        """The step of the checkpoint at the end of that epoch.

        Raises:
            UsageError: there is none; the message says which there are.
        """
        epoch = arguments.whole_number("epoch", epoch)
        if self.is_custom:
            raise UsageError(
                f"{self.path} keeps its last samples only, as its generator is not ours to build;"
                " leave --epoch out."
            )
        kept = set(self.checkpoint_steps)
        steps = {row["epoch"]: row["step"] for row in self.log if row["step"] in kept}
        if epoch not in steps:
            there = ", ".join(f"{each:.4g}" for each in steps) or "none"
            raise UsageError(
                f"{self.path} keeps no checkpoint of epoch {epoch}; of these it does: {there}."
            )
        return int(steps[epoch])

    # What a run can do once it is trained.

    def generator(
        self, step: int | Checkpoint | None = None, *, averaged: bool = True
    ) -> nn.Module:
        """The trained generator, in eval mode: BatchNorm uses its running statistics.

        Its weights are their average over training where the recipe asks for one; the newest with
        `averaged` off.
        """
        return self._rebuilt("generator", step, averaged=averaged)

    def discriminator(self, step: int | Checkpoint | None = None) -> nn.Module:
        """The trained discriminator, in eval mode: dropout is off."""
        return self._rebuilt("discriminator", step)

    def _rebuilt(
        self, player: Kind, step: int | Checkpoint | None, *, averaged: bool = False
    ) -> nn.Module:
        return rebuild(
            player,
            self.recipe,
            self.image_shape,
            len(self.classes),
            self.checkpoint(step),
            self.path,
            averaged=averaged,
            own=self._own.get(player),
        )

    def attach(
        self, *, generator: nn.Module | None = None, discriminator: nn.Module | None = None
    ) -> Self:
        """Give a run that was trained with modules of your own such modules again, so that it makes
        any images of any checkpoint, and can ask its discriminator.

        They stay as they are: copies of them get the weights.

        Returns: the run itself.

        Raises:
            UsageError: the run was not trained with a module of one's own there, or with another.
            CounterfeitError: it has no checkpoint.
        """
        self.adopt(own.adapted_for(self, own.modules_of(generator, discriminator)))
        return self

    def adopt(self, networks: Mapping[Kind, Own]) -> None:
        """`attach`, of modules that were found to fit."""
        self._own = {**self._own, **networks}

    def can_build(self, player: Kind) -> bool:
        """Whether its networks can be made here: not so where one is a module of the user's own,
        and was not attached."""
        return getattr(self.recipe, player).name != "custom" or player in self._own

    @property
    def is_custom(self) -> bool:
        """Whether its generator is a module of the user's, which is not at hand: then samples are
        those that it keeps."""
        return not self.can_build("generator")

    def labels(
        self,
        count: int,
        of: Asked | Sequence[Asked] | Tensor | None = None,
        *,
        seed: int | None = None,
    ) -> Int64[Tensor, " count"] | None:
        """The classes of `sample`'s images, numbered from 0; None where networks are told none.

        Args:
            of: a class for all, or one for each, by name or number; drawn when absent, each as
                probable as its share of the training images.
            seed: fixes what is drawn; the run's own when absent.

        Raises:
            UsageError: there is no such class, or the networks are told none.
        """
        if of is not None:
            return asked.numbers_of(of, asked.classes_of(self.path, self.classes), count)
        if not self.classes:
            return None
        if self.is_custom:
            kept = self.stored_samples
            return None if kept is None or kept.labels is None else kept.labels[:count]
        sizes = list(self.environment["classes"].values())
        return draw_classes(sizes, count, stream(self._seed(seed), "classes"))

    def sample(
        self,
        count: int,
        *,
        labels: Asked | Sequence[Asked] | Tensor | None = None,
        codes: Asked | Sequence[Asked] | Tensor | None = None,
        seed: int | None = None,
        step: int | Checkpoint | None = None,
    ) -> UInt8[Tensor, "count C H W"]:
        """New images from the trained generator; the same ones for the same seed.

        Of a generator that is the user's code and not at hand (see `attach`), the first of those
        that the run keeps.

        Args:
            labels: the class of all, or of each; see `labels`.
            codes: of an InfoGAN, the number of all latents' category, or of each; any when absent.

        Raises:
            UsageError: a count that is not from 1 to 1,000,000, a class that there is not, or more
                than a run keeps.
            CounterfeitError: there is no checkpoint, it is damaged, or training has diverged.
        """
        count = arguments.whole_number(
            "count", count, least=1, most=asked.MOST, hint="; another seed gives others"
        )
        told = self.labels(count, labels, seed=seed)
        latent, category = self.recipe.latent, None
        if codes is not None:
            names = asked.categories_of(self.path, latent.categories)
            category = asked.numbers_of(codes, names, count)
        if self.is_custom:
            if labels is not None or codes is not None:
                raise UsageError(
                    f"{self.path} keeps samples of any class, and only with its generator's module"
                    " can others be made; in Python, `attach` takes it."
                )
            return self._kept_images(count, step)
        z = draw_latents(latent, count, stream(self._seed(seed), "evaluation"))
        if category is not None:
            set_category(z, latent, category)
        return generate(self.generator(step), z, self.recipe.value_range, told)

    def _seed(self, seed: int | None) -> int:
        return self.seed if seed is None else arguments.whole_number("seed", seed)

    def _kept_images(
        self, count: int, step: int | Checkpoint | None
    ) -> UInt8[Tensor, "count C H W"]:
        kept = self.newest()
        assert isinstance(kept, stored.Samples)
        if step is not None and step != kept.step:
            raise UsageError(f"{self.path} keeps samples of step {kept.step} only; leave step out.")
        if count > len(kept.images):
            raise UsageError(
                f"{self.path} keeps {len(kept.images):,} samples, and only the code that trained"
                f" its generator can make more; ask for {len(kept.images):,} at most."
            )
        return kept.images[:count]
