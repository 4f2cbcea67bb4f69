"""Which images are for training, for validation and for testing.

Published sets keep what their sources say: their test files are for testing, the last 360 of
`digits`; the validation split is the last sixth of the training images, in the paper the last
10,000 of MNIST's 60,000.

The user's own images are split by content. An image's key is a hash of its bytes, read as a number
in [0, 1): below 1/7 it is for testing, from there to 2/7 for validation, and above for training.
Where test images are files of their own, the validation split is what lies below 1/6. So

- a split is a random one, with about the same share of every class, and the same everywhere;
- files that are added, removed or renamed move no other image from split to split;
- copies of an image are on one side, whatever their names or classes.

Where the images lie in folders called train and test, or in arrays of such names, these are the
splits; and where there are ones for validation, these are the validation split, which is never
trained on.

No rule can do more. Whoever decides so that no image depends on others decides each one alone, and
then a class may by chance have none on one side: one of seven images has no test image in a third
of all cases. There, and only there, one picture changes sides: a class of 7 or more pictures has a
test image (of 6 or more left to train on, a validation image), its lowest key, and no class is
without training images: it keeps its highest key. An exact seventh of every class would be stable
only up to one other image for each one added.
"""

import hashlib
from collections.abc import Collection, Sequence
from typing import NamedTuple

from counterfeit.data.images import TEST_SHARE, Split
from counterfeit.language import english

DIGITS_TEST = 360
"""The last so many of scikit-learn's 1,797 digits are for testing."""

VALIDATION_SHARE = 6
"""One training image in six is for validation: MNIST's 10,000 of 60,000."""

KEYS = 2**64


class Parts(NamedTuple):
    """Indices of images, by split."""

    train: list[int]
    """By falling key, those for validation last: the first n are n random ones, which stay among
    the first m > n."""
    validation: int
    """How many of the last of `train` are for validation."""
    test: list[int]


def published_validation(train: int) -> int:
    """How many of the last of a published set's training images are for validation."""
    return train // VALIDATION_SHARE


def key(content: bytes) -> int:
    """From 0 to 2^64 - 1, evenly: the start of the SHA-256 of an image's bytes."""
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "big")


def by_content(keys: Sequence[int], labels: Sequence[int] | None, *, test: bool) -> Parts:
    """The splits of the user's images.

    Args:
        keys: of each image; equal ones are copies.
        labels: of each image, if there are any.
        test: whether some are for testing; not where test images are files of their own.
    """
    classes: Sequence[int] = [0] * len(keys) if labels is None else labels
    groups: dict[int | None, set[int]] = {}
    for each, label in zip(keys, classes, strict=True):
        groups.setdefault(label, set()).add(each)
    groups[None] = set(keys)

    limit = KEYS // TEST_SHARE if test else 0
    for_testing = _set_apart(groups.values(), limit, TEST_SHARE) if test else set()
    left = [group - for_testing for group in groups.values()]
    limit += (KEYS - limit) // VALIDATION_SHARE
    for_validation = _set_apart(left, limit, VALIDATION_SHARE)

    order = sorted(range(len(keys)), key=lambda i: (-keys[i], classes[i]))
    validation = [i for i in order if keys[i] in for_validation]
    held_out = for_testing | for_validation
    return Parts(
        train=[i for i in order if keys[i] not in held_out] + validation,
        validation=len(validation),
        test=[i for i in order if keys[i] in for_testing],
    )


VALIDATION_IS_TEST = english(
    "The validation images are the test split, as there are no others to test with."
)


def own(keys: Sequence[int], labels: Sequence[int | None], given: Sequence[Split | None]) -> Parts:
    """The splits of the user's images, some of which say themselves what they are for.

    Args:
        keys: of each image; equal ones are copies.
        labels: of each image, or None.
        given: the split of each image; or None for all, and then it is for `by_content` to say.
    """

    def those(split: Split | None) -> list[int]:
        return [i for i, each in enumerate(given) if each == split]

    def by_keys(chosen: list[int], *, test: bool) -> Parts:
        known = [label for i in chosen if (label := labels[i]) is not None]
        found = by_content(
            [keys[i] for i in chosen], known if len(known) == len(chosen) else None, test=test
        )
        return Parts(
            [chosen[i] for i in found.train], found.validation, [chosen[i] for i in found.test]
        )

    if without := those(None):
        return by_keys(without, test=True)
    train, validation, test = those("train"), those("validation"), those("test")
    if validation:
        train.sort(key=lambda i: -keys[i])
        return Parts(train + validation, len(validation), test)
    return by_keys(train, test=False)._replace(test=test)


def _set_apart(groups: Collection[set[int]], limit: int, share: int) -> set[int]:
    """The keys below the limit: one at least of each group of `share` or more, and never all."""
    chosen = {each for group in groups for each in group if each < limit}
    for group in groups:
        if len(group) >= share and chosen.isdisjoint(group):
            chosen.add(min(group))
    for group in groups:
        if group and group <= chosen:
            chosen.remove(max(group))
    return chosen
