"""Moving a pretrained model onto another tokenizer."""
