"""Faces of our environments that RL libraries know."""
