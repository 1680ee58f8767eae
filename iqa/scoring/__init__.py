"""Scores for photographs of any kind, by a model that is ready to use."""
