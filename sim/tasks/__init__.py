"""What is asked for: how episodes begin, what is seen in them, what it is worth."""
