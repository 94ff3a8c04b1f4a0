"""Models that read and predict the new tokens of a batch."""
