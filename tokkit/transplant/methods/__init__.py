"""The ways to make the rows of new tokens."""

from tokkit.transplant.methods.registry import METHODS, Listing, Recipe, find_method

__all__ = ["METHODS", "Listing", "Recipe", "find_method"]
