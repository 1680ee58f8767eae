"""Images with scores, content groups and splits."""
