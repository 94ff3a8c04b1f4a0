"""Studies of what tokenization does: numbers, counting, Markov sources, models from scratch."""
