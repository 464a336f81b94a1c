"""One file per format that a table can be written in."""

from uda.evaluation.formats.html import html
from uda.evaluation.formats.latex import latex
from uda.evaluation.formats.markdown import markdown
from uda.evaluation.formats.plain import plain
from uda.evaluation.formats.tidy import tidy_csv

__all__ = ["html", "latex", "markdown", "plain", "tidy_csv"]
