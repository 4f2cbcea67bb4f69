"""Digits and their classifier."""

from own_data import quick_classifier, with_classifier

__all__ = ["quick_classifier", "with_classifier"]
