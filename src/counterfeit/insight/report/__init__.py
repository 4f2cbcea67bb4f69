"""One self-contained HTML page about a run, or about several beside each other.

Everything lies inside the file: pictures as data URIs, a small script for the film's slider, no
outside requests. Without the script, and in print, the film is its last epoch's images.
"""

from counterfeit.insight.report.comparison import rerun_command
from counterfeit.insight.report.page import Agreement, Statement, default_page, write_report
from counterfeit.insight.report.panels import anchor

__all__ = ["Agreement", "Statement", "anchor", "default_page", "rerun_command", "write_report"]
