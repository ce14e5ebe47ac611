"""Pictures of environments: of all of a scene, and what a camera on the wrist sees."""
