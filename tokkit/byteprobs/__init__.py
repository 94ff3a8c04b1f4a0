"""Exact probabilities of bytes from language models of tokens."""
