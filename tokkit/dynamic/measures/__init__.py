"""What dynamic tokenization does to what a model knows."""
