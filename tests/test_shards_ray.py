"""Shards in Ray's workers, on a cluster of this machine: a worker that is killed changes nothing."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pocketworld import scene_file
from pocketworld.cli.main import main
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Split
from pocketworld.scene import HandleKind, Scene, Side
from pocketworld.sim.shards.pools import Cluster, Here
from pocketworld.sim.shards.rollout import Arrays, Job
from pocketworld.sim.shards.shard import Sent, Shard, split


def chest(number: int) -> Scene:
    fronts = (
        Front(FrontKind.DRAWER, Side.NONE, usual(HandleKind.BAR)),
        Front(FrontKind.DOOR, Side.LEFT, usual(HandleKind.KNOB, 0.9, 0.5)),
    )
    asset = build(Cabinet(0.5 + 0.05 * number, 0.45, 0.7, Split(True, (1.0, 1.5), fronts)), "chest")
    return Scene(f"s{number}", (asset,), provenance={"cousin": f"test/{number}"})


LONG = Job(7, kind="steps", steps=1500, explore=0.1)


def world(folder: Path) -> None:
    """Make a folder hold a twin."""
    (folder / "twin").mkdir()
    scene_file.save(chest(0), folder / "twin")


def shards(count: int = 2) -> list[Shard]:
    return split(Sent([chest(number) for number in range(4)]), 16, count, {})


def same(a: list[Arrays], b: list[Arrays]) -> bool:
    pairs = list(zip(a, b, strict=True))
    return all(x.keys() == y.keys() and all(x[n].tobytes() == y[n].tobytes() for n in x) for x, y in pairs)


def checks() -> dict[str, Any]:
    """Do all that needs a cluster, on one: to come up it takes half a minute."""
    import ray

    # Two cores, whatever the machine has; one that is there is not ended by those who join it.
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    workers, here = Cluster(shards()), Here(shards())
    began = time.perf_counter()
    expected = here.do(LONG)
    took = time.perf_counter() - began
    out: dict[str, Any] = {"undisturbed": same(workers.do(LONG), expected)}
    out |= killed(workers, expected, min(1.0, took / 10))
    try:
        Cluster(shards())
    except PocketworldError as error:
        out["full"] = str(error)
    workers.close()
    out["turns"], out["told"] = turns()
    empty = Cluster([Shard(Sent([]), (0,))])
    try:
        empty.do(Job(0))
    except PocketworldError as error:
        out["raised"] = str(error)
    empty.close()
    out["twice"] = killed_twice()
    out["still there"] = ray.is_initialized()
    ray.shutdown()
    try:
        Cluster(split(Sent([chest(0)]), 1, 1, {"backend": "warp"}))
    except PocketworldError as error:
        out["no GPU"] = str(error)
    out["left behind"] = ray.is_initialized()
    return out


def killed_twice() -> int:
    """Kill a worker, and the one in its place, in one call; return how many were lost."""
    workers = Cluster(shards(1))
    with redirect_stdout(StringIO()):  # where Ray tells at length of workers that died
        for _ in range(2):
            (now,) = workers.processes()
            os.kill(now, signal.SIGKILL)
            while workers.processes() == [now]:
                time.sleep(0.1)
        workers.do(Job(1))
    lost = workers.lost
    workers.close()
    return lost


def killed(workers: Cluster, expected: list[Arrays], wait: float) -> dict[str, Any]:
    """Kill a worker at work; say what came of it."""
    before = workers.processes()
    got: list[list[Arrays]] = []
    thread = threading.Thread(target=lambda: got.append(workers.do(LONG)))
    thread.start()
    time.sleep(wait)
    at_work = thread.is_alive()
    os.kill(before[0], signal.SIGKILL)
    thread.join(300)
    fresh = [was != now for was, now in zip(before, workers.processes(), strict=True)]
    return {"at work": at_work, "killed": same(got[0], expected), "fresh": fresh, "lost": workers.lost}


def turns() -> tuple[bool, list[str]]:
    """Compute more shards than there are cores, on the cluster that is there."""
    many, here, told = Cluster(shards(7)), Here(shards(7)), list[str]()
    got = many.do(Job(3), told.append)
    many.close()
    return same(got, here.do(Job(3))), told


@pytest.fixture(scope="module")
def checked() -> dict[str, Any]:
    """What came of the checks, in a process of their own: Ray warns of itself, and leaves some behind."""
    calm = {**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=True, env=calm)
    (told,) = (line for line in done.stdout.splitlines() if line.startswith("{"))  # Ray tells of deaths, too
    out: dict[str, Any] = json.loads(told)
    return out


@pytest.mark.slow
def test_a_worker_that_is_killed_in_the_middle_changes_nothing(checked: dict[str, Any]) -> None:
    assert checked["undisturbed"]
    assert checked["at work"]
    assert checked["killed"]
    assert checked["fresh"] == [True, False]
    assert checked["lost"] == 1


@pytest.mark.slow
def test_more_shards_than_cores_take_turns_and_come_in_order(checked: dict[str, Any]) -> None:
    assert checked["turns"]
    assert checked["told"] == [f"shard {n} of 7" for n in range(1, 8)]


@pytest.mark.slow
def test_a_cluster_that_is_full_says_so(checked: dict[str, Any]) -> None:
    assert checked["full"] == "the cluster has no CPU left; wait, or add a machine"


@pytest.mark.slow
def test_every_death_is_counted(checked: dict[str, Any]) -> None:
    assert checked["twice"] == 2


@pytest.mark.slow
def test_without_a_gpu_one_line_says_how_to_do_without_and_the_cluster_made_is_ended(
    checked: dict[str, Any],
) -> None:
    assert checked["no GPU"] == (
        "the cluster has no GPU; add a machine that has one, or compute without: --device cpu"
    )
    assert checked["still there"]  # one that others made is theirs
    assert not checked["left behind"]


@pytest.mark.slow
def test_what_a_shard_raises_is_raised_here(checked: dict[str, Any]) -> None:
    assert checked["raised"] == "a shard without scenes; make some cousins"


@pytest.mark.slow
def test_an_evaluation_on_a_cluster_is_that_of_one_process(tmp_path: Path) -> None:
    """The command; scenes opened by each worker or sent along; nothing but JSON on stdout."""
    world(tmp_path)
    told = [evaluated(tmp_path, *more) for more in ([], ["--ray", "local"], ["--ray", "local", "--send"])]
    assert told[0]["digest"] == told[1]["digest"] == told[2]["digest"]
    assert told[0]["episodes"] == 6
    assert told[0]["share"] == 1.0


def evaluated(folder: Path, *more: str) -> dict[str, Any]:
    """Run the command by itself."""
    command = ["--json", "evaluate", str(folder), "--envs", "6", "--shards", "2", *more]
    done = subprocess.run(
        [sys.executable, "-m", "pocketworld.cli", *command], capture_output=True, text=True, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.slow
def test_an_evaluation_on_a_cluster_ends_on_sigterm_as_any_other(tmp_path: Path) -> None:
    """Ray's own handler would end it with 15, and leave what is to be cleaned up."""
    world(tmp_path)
    command = ["evaluate", str(tmp_path), "--envs", "40", "--shards", "20", "--ray", "local"]
    told = []
    with subprocess.Popen(
        [sys.executable, "-m", "pocketworld.cli", *command], stderr=subprocess.PIPE, text=True
    ) as one:
        assert one.stderr is not None
        for line in one.stderr:
            told.append(line)
            if line.endswith("shard 1 of 20\n"):
                one.send_signal(signal.SIGTERM)
        assert one.wait(60) == 143, told
    assert "interrupted\n" in told
    assert not any("shard 20 of 20" in line for line in told)


# Without a cluster


def test_evaluate_says_what_was_done(tmp_path: Path) -> None:
    world(tmp_path)
    options = ["--envs", "4", "--shards", "3", "--task", "close"]
    done = CliRunner().invoke(main, ["--quiet", "evaluate", str(tmp_path), *options])
    first, whole, *kinds = done.output.splitlines()
    assert first == "the expert closed 4 of 4 (different worlds: 1)"
    assert whole == "1.000 (95 %: 0.510 .. 1.000; 4 of 4)"  # Wilson: n / (n + 1.96²)
    assert {line.split()[0] for line in kinds} <= {"drawer", "door"}
    assert kinds


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--policy", "nowhere"], "nowhere is no training: neither a folder nor a name in "),
        (["--shards", "5", "--envs", "4"], "5 shards of 4 environments; 1 to 4 shards"),
        (["--shards", "2"], "has no cousins, so its twin alone works, which makes no 2 shards; pocket"),
        (["--task", "slam"], "no task 'slam'"),
        (["--ray", "localhost:1"], "no Ray cluster at 'localhost:1'"),
        (["--ray", "nonsense"], "no Ray cluster at 'nonsense'"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, options: list[str], line: str) -> None:
    world(tmp_path)
    done = CliRunner().invoke(main, ["--quiet", "evaluate", str(tmp_path), *options])
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert line in done.output
    assert done.output.count("\n") == 1


def test_a_world_that_is_none_is_refused_before_workers_start(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["--quiet", "evaluate", str(tmp_path / "none"), "--ray", "local"])
    assert done.exit_code == 1
    assert done.output.count("\n") == 1


def test_without_ray_one_line_says_how_to_get_it() -> None:
    """In a process in which it can't be imported."""
    program = """
        import sys
        from importlib.abc import MetaPathFinder

        class Missing(MetaPathFinder):
            def find_spec(self, name, path, target=None):
                if name.split(".")[0] == "ray":
                    raise ModuleNotFoundError(name)

        sys.meta_path.insert(0, Missing())
        import importlib.util
        found = importlib.util.find_spec
        importlib.util.find_spec = lambda name, *a: None if name == "ray" else found(name, *a)
        from pocketworld import extras
        extras.find_spec = importlib.util.find_spec
        from pocketworld.sim.shards.pools import Cluster
        from pocketworld.sim.shards.shard import Sent, Shard
        try:
            Cluster([Shard(Sent([]), (0,))])
        except Exception as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "ray is not installed; pip install 'pocketworld[ray]'\n"


if __name__ == "__main__":
    print(json.dumps(checks()))  # noqa: T201
