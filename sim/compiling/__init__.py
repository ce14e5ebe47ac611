"""From scenes to compiled cousins, one or many."""
