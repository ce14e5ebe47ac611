"""Poses and depth become one coloured surface."""
