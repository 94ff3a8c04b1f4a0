"""Weights on disk: safetensors files read, searched for embeddings, and written anew."""
