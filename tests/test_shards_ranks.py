"""Ranks of torchrun: each steps its own cousins, all end with the same weights. The page's script is run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pocketworld import scene_file
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind
from pocketworld.scene import HandleKind, Scene, Side
from pocketworld.sim.shards.ranks import own, ranks

PAGE = (Path(__file__).parents[1] / "docs" / "clusters.md").read_text()
SCRIPTS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
# Without GPUs, wherever it runs: two ranks would want two.
CALM = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "CUDA_VISIBLE_DEVICES": ""}


def world(folder: Path) -> None:
    """Make kitchen.world: a chest with a drawer."""
    front = Front(FrontKind.DRAWER, Side.NONE, usual(HandleKind.BAR))
    twin = folder / "kitchen.world" / "twin"
    twin.mkdir(parents=True)
    scene_file.save(Scene("s", (build(Cabinet(0.6, 0.45, 0.3, front), "chest"),)), twin)


def rank(monkeypatch: pytest.MonkeyPatch, *values: str) -> None:
    for name, value in zip(("RANK", "LOCAL_RANK", "WORLD_SIZE"), values, strict=True):
        monkeypatch.setenv(name, value)


def test_ranks_share_all_scenes(monkeypatch: pytest.MonkeyPatch) -> None:
    scenes = [Scene(f"s{i}", ()) for i in range(7)]
    shares = []
    for number in range(3):
        rank(monkeypatch, str(number), str(number), "3")
        assert ranks() == (number, number, 3)
        shares.append([scene.name for scene in own(scenes)])
    assert sorted(name for share in shares for name in share) == [scene.name for scene in scenes]
    assert [len(share) for share in shares] == [3, 2, 2]
    with pytest.raises(PocketworldError, match="2 scenes for 3 ranks; at least one each"):
        own(scenes[:2])


def test_alone_one_is_rank_0_of_1(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert ranks() == (0, 0, 1)


@pytest.mark.parametrize("values", [("2", "0", "2"), ("0", "1", "2"), ("-1", "-1", "2"), ("x", "0", "1")])
def test_ranks_that_can_not_be_are_one_line(monkeypatch: pytest.MonkeyPatch, values: tuple[str, ...]) -> None:
    rank(monkeypatch, *values)
    with pytest.raises(PocketworldError, match="torchrun sets them"):
        ranks()


@pytest.mark.slow
def test_two_ranks_of_the_pages_script_learn_the_same_weights(tmp_path: Path) -> None:
    world(tmp_path)
    told = """
import hashlib, torch
state = runner.alg.actor.state_dict() | runner.alg.critic.state_dict()
total = hashlib.sha256(b"".join(value.cpu().numpy().tobytes() for _, value in sorted(state.items())))
seen = hashlib.sha256(env.seen["policy"].cpu().numpy().tobytes())
open(f"rank{ranks()[0]}", "w").write(f"{total.hexdigest()} {seen.hexdigest()} {len(scenes)}")
torch.distributed.destroy_process_group()
"""
    (tmp_path / "train_ranks.py").write_text(SCRIPTS[1].replace("64", "4") + told)
    command = ["--standalone", "--nproc_per_node=2", "train_ranks.py"]
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", *command],
        cwd=tmp_path, env=CALM, check=True, capture_output=True,
    )  # fmt: skip
    first, second = ((tmp_path / f"rank{number}").read_text().split() for number in range(2))
    assert first[0] == second[0]  # the weights
    assert first[1] != second[1]  # their environments are others
    assert first[2] == second[2] == "2"
    assert (tmp_path / "policy.pt").is_file()


@pytest.mark.slow
def test_the_pages_rollouts_run(tmp_path: Path) -> None:
    world(tmp_path)
    told = '\nprint(len(steps), steps[0]["actions"].shape)'
    done = subprocess.run(
        [sys.executable, "-c", SCRIPTS[0] + told], cwd=tmp_path, env=CALM, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout == "2 (32, 8, 4)\n"
