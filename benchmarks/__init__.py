"""Paired comparisons with other libraries: ``python -m benchmarks`` (see `benchmarks.pair`)."""
