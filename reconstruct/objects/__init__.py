"""What stands free: boxes, families that explain it, solids."""
