"""Checking a transplanted model through the libraries that will load it."""
