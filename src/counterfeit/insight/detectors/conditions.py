"""Classes and codes that G is given: whether it listens, and whether each class is alive."""

from collections.abc import Callable, Sequence

import numpy as np

from counterfeit.files import Row
from counterfeit.game.auxiliary import Codes
from counterfeit.insight.columns import column, numbers
from counterfeit.insight.detectors.detector import Seen, Spell, detector, last_spell
from counterfeit.insight.detectors.record import Record
from counterfeit.insight.detectors.series import (
    GROWN_UP,
    STALLED_UPDATES,
    grown_up,
    updates_since_move,
)
from counterfeit.language import english

IGNORED = 1 / 3
IGNORED_SURE = 20
IGNORED_EXAMINATIONS = 2


@detector(
    "ignored-label",
    "warning",
    needs=("class_agreement", "data_classes", "moved"),
    evidence=("class_agreement", "data_classes"),
    figure="samples",
    meaning=english(
        "G ignores its label: whatever class it is asked for, it draws about the same mixture."
    ),
    advice=english(
        "Let D care for classes: --set condition.discriminator=projection, or a larger"
        " --set condition.weight where it is 'auxiliary'; if that changes nothing, see whether the"
        " data's labels are right."
    ),
    source="Odena et al. 2017 (arXiv 1610.09585), section 4.1",
)
def ignored_label(record: Record) -> Seen:
    """Fixed latents' images are of the class that was asked for hardly more often than by chance,
    in the eyes of a classifier that is sure of enough of them."""
    rows = record.images_with("class_agreement")
    chance = 1 / np.maximum(column(rows, "data_classes"), 1)
    sure = np.array([sum(one >= 0 for one in numbers(row, "classes")) for row in rows])
    ignored = column(rows, "class_agreement") < chance + IGNORED * (1 - chance)
    judged = ignored & (sure >= IGNORED_SURE) & grown_up(rows)
    return Seen(rows, last_spell(judged, IGNORED_EXAMINATIONS))


ALIKE = 0.2
ONE_EACH = 0.08
ALIVE = 0.5
MISREAD = 0.6
FOLLOWED = 0.6
LEAST_IMAGES = 5
COLLAPSED_ROWS = 2


@detector(
    "collapsed-class",
    "warning",
    needs=("moved", "spread"),
    one_of=("least_class_spread", "class_agreement"),
    evidence=("class", "its_spread", "seen_as_another"),
    figure="samples",
    meaning=english("A class has collapsed."),
    advice=english(
        "Look at how many images of the class there are, and whether they are labelled right"
        " (`counterfeit data NAME --preview FILE.png`); train D more for each step of G"
        " (--set training.discriminator_steps=2), or lower both learning rates."
    ),
    source="Miyato and Koyama 2018 (arXiv 1802.05637), section 5.1",
)
def collapsed_class(record: Record) -> Seen:
    """The images of a class are nearly all alike where those of most others vary, or quite alike
    where classes differ from each other; or surely of another class where those of most others are
    what was asked for."""
    alike = _lasting(record.images, alike_classes, "its_spread", ALIKE_WORDS, GROWN_UP)
    if alike.spell is not None:
        return alike
    examined = record.images_with("class_agreement")
    return _lasting(examined, lost_classes, "seen_as_another", LOST_WORDS, STALLED_UPDATES)


ALIKE_WORDS = english(
    "Class {number}, counted from 0, has collapsed: G makes about the same image whenever it is"
    " asked for it.",
    number="{number}",
)
LOST_WORDS = english(
    "Class {number}, counted from 0, is not drawn: where G is asked for it, a classifier surely"
    " sees another class, while the others are what they should be.",
    number="{number}",
)


def _lasting(
    rows: Sequence[Row],
    collapsed: Callable[[Row], dict[int, float]],
    key: str,
    words: str,
    updates: int,
) -> Seen:
    """The class that has collapsed for several rows last, and of these for the most rows.

    Args:
        collapsed: of a row, the classes that have, each with the number that shows it.
        key: what that number is called.
        words: about the class {number}.
        updates: since the images' first move, which healthy classes may take.
    """
    each, old = list(map(collapsed, rows)), updates_since_move(rows) >= updates
    found: list[tuple[Spell, int]] = []
    for number in sorted({number for row in each for number in row}):
        spell = last_spell(np.array([number in row for row in each]) & old, COLLAPSED_ROWS)
        if spell is not None:
            found.append((spell, number))
    if not found:
        return Seen(rows, None)
    spell, number = max(found, key=lambda one: (one[0].last, -one[0].first))
    shown = [
        row | {"class": number, key: here.get(number)} for row, here in zip(rows, each, strict=True)
    ]
    return Seen(shown, spell, meaning=words.format(number=number))


def alike_classes(row: Row) -> dict[int, float]:
    """The classes whose images are nearly all alike, and how different they are.

    Where those of most classes are not varied yet, quite alike, and only if the classes differ
    from each other: else it is G as a whole that has collapsed, or is young."""
    spreads = row.get("class_spread")
    known = {
        number: float(spread)
        for number, spread in enumerate(spreads if isinstance(spreads, list) else [])
        if isinstance(spread, int | float)
    }
    among = row.get("spread")
    if not known or not isinstance(among, int | float) or among < ALIVE:
        return {}
    least = ALIKE if float(np.median(list(known.values()))) >= ALIVE else ONE_EACH
    return {number: spread for number, spread in known.items() if spread < least}


def lost_classes(row: Row) -> dict[int, float]:
    """The classes whose images surely are of another one, and what share of them, where those of
    most others are what was asked for."""
    agreement = row.get("class_agreement")
    if not isinstance(agreement, float) or agreement < FOLLOWED:
        return {}
    shares = misread(numbers(row, "asked"), numbers(row, "classes"))
    return {number: share for number, share in shares.items() if share >= MISREAD}


def misread(asked: Sequence[int], seen: Sequence[int]) -> dict[int, float]:
    """Of each class of five images or more, the share of them that surely are of another one."""
    if len(asked) != len(seen):
        return {}
    shares: dict[int, float] = {}
    for number in sorted(set(asked)):
        of_class = [s for a, s in zip(asked, seen, strict=True) if a == number]
        if len(of_class) >= LEAST_IMAGES:
            shares[number] = sum(s not in (-1, number) for s in of_class) / len(of_class)
    return shares


UNREAD = 0.8
CODES_EPOCHS = 2


@detector(
    "ignored-codes",
    "warning",
    needs=("penalty_codes", "moved"),
    evidence=("penalty_codes", "guessed"),
    figure="penalties",
    meaning=english(
        "The latent's codes are ignored: D can tell hardly more of them from G's images than by"
        " guessing."
    ),
    advice=english(
        "Give them weight: --set latent.information=1; if they have it, a higher --set"
        " generator.optimizer.lr, or fewer codes (--set latent.categories=...,"
        " latent.continuous=...)."
    ),
    source="Chen et al. 2016 (arXiv 1606.03657), figure 1: without its term, the mutual information"
    " with the codes falls to 0",
)
def ignored_codes(record: Record) -> Seen:
    """What D gets wrong about the codes is hardly less than what it would by guessing, or is not
    counted at all."""
    rows = record.joined
    guessed = Codes(record.recipe.latent).guessing(())
    shown = [row | {"guessed": guessed} for row in rows]
    wrong = column(rows, "penalty_codes")
    ignored = (wrong > UNREAD * guessed) | (guessed == 0)
    return Seen(shown, last_spell(ignored & grown_up(rows), CODES_EPOCHS))
