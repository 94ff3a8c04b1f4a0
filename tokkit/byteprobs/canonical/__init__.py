"""Which token sequences a tokenizer can produce: one decision procedure per family."""
