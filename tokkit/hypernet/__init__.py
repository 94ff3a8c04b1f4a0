"""A hypernetwork that predicts embeddings for tokens of any vocabulary (arXiv 2405.07883)."""
