"""A finding to show."""

from typing import Any

from counterfeit.insight.diagnose import Finding


def finding(name: str = "mode_collapse", **values: Any) -> Finding:
    return Finding(
        **{
            "name": name,
            "severity": "critical",
            "first_step": 11,
            "last_step": 33,
            "first_epoch": 1,
            "last_epoch": 3,
            "evidence": {"distance": 0.125, "figure": "outputs"},
            "meaning": "All <images> are one.",
            "advice": "Give G BatchNorm.",
            "source": "Goodfellow et al. 2014, section 6",
            "lasts": True,
        }
        | values
    )
