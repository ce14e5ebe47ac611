"""What we write is read by lerobot itself, where $LEROBOT_PYTHON names a Python that has it (3.12 and newer).

    python3.12 -m venv lerobot && lerobot/bin/pip install 'lerobot[dataset]'
    LEROBOT_PYTHON=lerobot/bin/python pytest tests/test_lerobot_loader.py

Checked so with lerobot 0.6.1, datasets 4.8.5, torch 2.11, av 15.1; everywhere else checks.py is what reads.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.test_lerobot_writer import FRONT, WRIST, columns, decoded, written

SCRIPT = """
import json, sys
import numpy as np, torch
from pathlib import Path
from lerobot.datasets.dataset_tools import merge_datasets, split_dataset
from lerobot.datasets.lerobot_dataset import LeRobotDataset

root, work = map(Path, sys.argv[1:])
data = LeRobotDataset("local/set", root=root, video_backend="pyav")
rows = [data[i] for i in range(len(data))]
np.savez(work / "rows.npz", **{k: np.stack([np.asarray(r[k]) for r in rows]) for k in rows[0] if k != "task"})
ahead = {"action": [0.0, 0.04, 0.08]}
later = LeRobotDataset("local/set", root=root, video_backend="pyav", delta_timestamps=ahead)
batches = torch.utils.data.DataLoader(later, batch_size=7, shuffle=True)
halves = split_dataset(data, {"a": [0, 1], "b": [2]}, output_dir=work / "split")
whole = merge_datasets(list(halves.values()), output_repo_id="local/whole", output_dir=work / "whole")
print(json.dumps({
    "tasks": [row["task"] for row in rows], "fps": data.meta.fps, "episodes": data.num_episodes,
    "batched": sum(len(batch["index"]) for batch in batches),
    "ahead": list(next(iter(batches))["action"].shape),
    "merged": [whole.num_episodes, len(whole)],
    "mean": {name: np.asarray(told["mean"]).tolist() for name, told in data.meta.stats.items()},
}))
"""


@pytest.fixture(scope="module")
def python() -> str:
    found = os.environ.get("LEROBOT_PYTHON")
    if not found:
        pytest.skip("no lerobot here: set LEROBOT_PYTHON")
    return found


@pytest.mark.slow  # lerobot takes long to load
def test_lerobot_reads_every_frame_and_splits_and_merges(python: str, tmp_path: Path) -> None:
    root = written(tmp_path / "set")
    apart = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [python, "-c", SCRIPT, root, tmp_path], capture_output=True, text=True, env=apart, check=False
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert (told["fps"], told["episodes"], told["batched"], told["merged"]) == (25, 3, 30, [3, 30])
    assert told["ahead"] == [7, 3, 2]
    assert (
        told["tasks"] == ["open the top drawer"] * 7 + ["open the door"] * 10 + ["open the top drawer"] * 13
    )
    rows = np.load(tmp_path / "rows.npz")
    for name in ("observation.state", "action", "next.reward", "next.done", "next.success"):
        given = np.concatenate([columns(i, 7 + 3 * i)[name] for i in range(3)])
        assert np.array_equal(rows[name], given.astype(rows[name].dtype))
    for camera in (FRONT, WRIST):
        ours = np.stack(decoded(root / f"videos/{camera}/chunk-000/file-000.mp4"))
        assert np.abs(rows[camera].transpose(0, 2, 3, 1) * 255 - ours).max() < 1e-3
    assert told["mean"] == {
        k: v["mean"] for k, v in json.loads((root / "meta/stats.json").read_text()).items()
    }
