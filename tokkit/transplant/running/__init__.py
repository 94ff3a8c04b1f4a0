"""What runs a transplanted model: calibrating, tuning and measuring it."""
