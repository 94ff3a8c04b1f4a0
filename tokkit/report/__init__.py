"""Frames in; tables and pictures out."""

from tokkit.report.charts import check_figure, write_chart

__all__ = ["check_figure", "write_chart"]
