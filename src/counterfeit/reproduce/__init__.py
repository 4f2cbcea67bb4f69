"""The article's three stages, trained here, and each of its statements beside what is seen."""

from counterfeit.reproduce.article import ARTICLE_LOSSES, SAMPLES, first_won_epoch, spread
from counterfeit.reproduce.stages import STAGES, reproduce_article

__all__ = [
    "ARTICLE_LOSSES",
    "SAMPLES",
    "STAGES",
    "first_won_epoch",
    "reproduce_article",
    "spread",
]
