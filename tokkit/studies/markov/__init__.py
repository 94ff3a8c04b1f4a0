"""What tokenization does to the learning of Markov sources (arXiv 2404.08335)."""
