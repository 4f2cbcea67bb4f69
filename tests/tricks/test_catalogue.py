"""The list of tricks, and the studies that are written from it."""

import re
import shlex
from pathlib import Path

import pytest

from counterfeit import recipe
from counterfeit.study.plan import Plan
from counterfeit.study.statistics import ALPHA, least_seeds
from counterfeit.tricks.catalogue import FAMILIES, Base, Change, Trick, catalogue, plan_of
from tricks import STUDIES, plan_text

BASES = catalogue().bases
CASES = [(base, trick, change) for base in BASES for trick, change in catalogue().of(base)]


def named(case: object) -> str:
    return case.label if isinstance(case, Trick) else case.key if isinstance(case, Base) else ""


@pytest.mark.parametrize(("base", "trick", "change"), CASES, ids=named)
def test_each_switch_can_be_copied_and_makes_another_recipe_that_trains(
    base: Base, trick: Trick, change: Change
) -> None:
    whole = recipe.load(base.recipe).with_values(base.values)
    words = shlex.split(change.options)
    assert words[::2] == ["--set"] * len(change.values)
    changed = whole.with_overrides(words[1::2])
    changed.require_trainable()
    assert changed == whole.with_values(change.values)
    assert changed != whole
    assert not re.search(r"\s", change.options.replace(" --set ", "")[len("--set ") :])


def test_all_17_entries_of_ganhacks_are_there() -> None:
    sources = [each.source for each in [*catalogue().tricks, *catalogue().no_switch]]
    found = {int(n) for source in sources for n in re.findall(r"ganhacks (\d+)", source)}
    assert found == set(range(1, 18))
    for trick in catalogue().tricks:
        assert ("ganhacks" in trick.source) == (trick.family == "ganhacks"), trick.label
        assert trick.changes, trick.label


@pytest.mark.parametrize("base", BASES, ids=named)
def test_the_studies_are_written_from_the_list(base: Base) -> None:
    path = STUDIES / f"{base.study}.toml"
    assert path.read_text(encoding="utf-8") == plan_text(base)
    plan = Plan.read(path)
    assert plan == plan_of(base)
    assert len(plan.seed_list) == 5
    labels = {str(each.label) for each in plan.variants}
    assert labels == {base.recipe, *(change.variant for _, change in catalogue().of(base))}
    runs = f"{len(plan.variants)} variants of 5 seeds are {5 * len(plan.variants)} runs"
    assert runs in re.sub(r"\s+", " ", base.why)


@pytest.mark.parametrize("base", BASES, ids=named)
@pytest.mark.parametrize("family", FAMILIES)
def test_five_seeds_can_claim_something_in_each_list(base: Base, family: str) -> None:
    tricks = [trick for trick, _ in catalogue().of(base) if trick.family == family]
    assert least_seeds(ALPHA / len(tricks)) <= 5


@pytest.mark.parametrize("base", BASES, ids=named)
def test_noise_falls_over_the_whole_study(base: Base) -> None:
    for _, change in catalogue().of(base):
        assert change.values.get("inputs.noise_epochs", base.epochs) == base.epochs


def test_the_list_is_part_of_the_package() -> None:
    here = Path(recipe.__file__).parents[1] / "tricks"
    assert {each.name for each in here.iterdir()} >= {"tricks.toml", "judged.json"}
