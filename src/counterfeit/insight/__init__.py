"""From a run directory to what people look at; with it, notebooks show a `Run` as a card."""

from counterfeit.run import Run


def _card(run: Run) -> str:
    from counterfeit.insight.card import card  # draws, which other work need not wait for

    return card(run)


Run.display = _card
