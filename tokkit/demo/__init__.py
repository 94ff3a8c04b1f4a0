"""The demo: learn vocabularies from text that every machine has, and compare them, offline."""

from tokkit.demo.result import Demo, Row
from tokkit.demo.run import run

__all__ = ["Demo", "Row", "run"]
