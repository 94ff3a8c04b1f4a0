"""Scoring studies of numbers: what was answered, how wrong it is, whether formats differ."""

from tokkit.studies.numbers.scoring.scores import Scores, score, score_files

__all__ = ["Scores", "score", "score_files"]
