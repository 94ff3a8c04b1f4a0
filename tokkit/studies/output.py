"""Moved to `tokkit.results`, a floor below, as other measures write such folders too."""

from tokkit.results import (
    SCHEMA,
    SUMMARY,
    Provenance,
    TableFormat,
    begin_folder,
    write_json,
    write_study,
    write_table,
)

__all__ = [
    "SCHEMA",
    "SUMMARY",
    "Provenance",
    "TableFormat",
    "begin_folder",
    "write_json",
    "write_study",
    "write_table",
]
