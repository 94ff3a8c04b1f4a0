"""The ``tokkit`` command: parse, call the library once, print."""
