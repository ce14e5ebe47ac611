"""Learning: PPO in cousins, what came of it judged on others, and all of it kept in a folder."""
