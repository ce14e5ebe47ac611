"""Faces of furniture read into fronts, handles and belief."""
