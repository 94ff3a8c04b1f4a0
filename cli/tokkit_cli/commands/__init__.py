"""One module per command; what they need is imported when they run."""
