"""What lies beside the weights: settings, special tokens, chat templates, tokenizer files."""
