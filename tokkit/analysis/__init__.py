"""What a tokenizer does to a text, a language and a bill."""
