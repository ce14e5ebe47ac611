"""Floor, walls, and the doors in them."""
