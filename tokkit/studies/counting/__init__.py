"""Whether a model can count, sort and reverse letters that its tokenizer hides in tokens."""
