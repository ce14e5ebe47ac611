"""Learning on the backend warp: going on from a checkpoint is as if it had never stopped."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from pocketworld.cousins.sequence import Cousins
from pocketworld.scene import Scene
from pocketworld.sim.training import train
from pocketworld.sim.training.ppo import Counted, Learner
from pocketworld.sim.training.run_folder import RunFolder
from pocketworld.sim.training.settings import Settings

SMALL = Settings(
    backend="warp",
    envs=16,
    steps=4,
    iterations=4,
    checkpoint_every=2,
    max_steps=8,
    hidden=(16,),
    minibatches=2,
    epochs=2,
)


def learnt(folder: Path, scenes: Sequence[Scene], *iterations: int) -> tuple[bytes, list[Any]]:
    """Return the policy's bytes and the curve of a training that was asked for so many iterations in turn.

    Each leg of it has environments and a network of its own, as a process that goes on has.
    """
    run = RunFolder(folder)
    run.begin(SMALL, {})
    for until in iterations:
        train.learn(run, scenes, replace(SMALL, iterations=until), lambda _: None, device="cpu")
    return (folder / "policy.onnx").read_bytes(), [row.progress for row in run.rows(SMALL.iterations)]


@pytest.mark.slow
def test_going_on_from_a_checkpoint_is_as_if_it_had_never_stopped(
    warp_cousins: Cousins, tmp_path: Path
) -> None:
    """To the byte, on the CPU: a GPU gives no two runs the same bits."""
    whole, told = learnt(tmp_path / "whole", warp_cousins, 4)
    parts, told_again = learnt(tmp_path / "parts", warp_cousins, 2, 4)
    assert parts == whole
    assert told_again == told
    assert [now.iteration for now in told] == [1, 2, 3, 4]
    assert len({now.value_loss for now in told}) == 4


def test_learning_on_the_cpu_sets_up_no_gpu(warp_cousins: Cousins, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch would save the random numbers of every GPU that there is."""
    asked: list[Any] = []
    fork = torch.random.fork_rng

    def noted(devices: Any = None, *args: Any, **options: Any) -> Any:
        asked.append(devices)
        return fork(devices, *args, **options)

    monkeypatch.setattr(torch.random, "fork_rng", noted)
    with closing(Counted(warp_cousins, 16, backend="warp", device="cpu", max_steps=20)) as env:
        list(Learner(env, replace(SMALL, iterations=1)).leg(0))
    assert asked == [[], []]
