"""Files that tokkit ships; `tokkit.resources` finds them, README.md beside them lists them."""
