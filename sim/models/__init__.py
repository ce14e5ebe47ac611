"""A scene as a model of MuJoCo: its MJCF, its looks, whether it stands still."""
