"""Rows of built-in units: found, read into modules, built as assets."""
