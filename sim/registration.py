"""The environments' names in gymnasium: `gym.make_vec("pocketworld/Open-v0", world="kitchen.world")`."""

from gymnasium.envs.registration import register, registry

from pocketworld.sim.tasks.task import TASKS


def register_all() -> None:
    """Register every task once; what a name makes is imported when it is made."""
    for task in TASKS:
        name = f"pocketworld/{task.capitalize()}-v0"
        if name not in registry:
            register(
                name,
                entry_point="pocketworld.api:make_single",  # says in one line what to call instead
                vector_entry_point="pocketworld.api:make_registered",
                kwargs={"task": task},
            )
