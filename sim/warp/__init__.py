"""Many different worlds in one MuJoCo Warp model, on a GPU (or, for tests, on the CPU)."""
