"""Frames in; tables and pictures out."""

from tokkit.report.charts import write_chart

__all__ = ["write_chart"]
