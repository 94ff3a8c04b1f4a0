"""How tokenizers cut numbers, and what that does to a model's arithmetic."""
