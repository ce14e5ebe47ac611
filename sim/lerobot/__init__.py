"""Demonstrations and rollouts as LeRobot v3.0 datasets with video, written with pyarrow and PyAV alone.

Format: https://huggingface.co/docs/lerobot/lerobot-dataset-v3, as lerobot 0.6 reads it.
"""
