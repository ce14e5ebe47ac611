"""Learning on several GPUs, or processes: each rank steps its own environments, gradients are averaged.

`torchrun` starts the ranks and tells each who it is by RANK, LOCAL_RANK and WORLD_SIZE, which rsl_rl's runner
reads: it broadcasts rank 0's weights and averages gradients and the observations' statistics. It knows GPUs
only; here CPUs as well.
"""

import os
from collections.abc import Sequence

from pocketworld.errors import PocketworldError
from pocketworld.extras import require
from pocketworld.scene import Scene

require("train", "rsl_rl", "torch")
import torch  # noqa: E402
from rsl_rl.runners import OnPolicyRunner  # noqa: E402

ALONE = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"}


def ranks() -> tuple[int, int, int]:
    """Return this process's rank among all, that on its machine, and how many ranks there are."""
    try:
        rank, local, size = (int(os.environ.get(name, value)) for name, value in ALONE.items())
    except ValueError as error:
        raise PocketworldError(f"{', '.join(ALONE)}: {error}", "torchrun sets them") from None
    if not 0 <= local <= rank < size:
        raise PocketworldError(f"rank {rank} ({local} here) of {size}", "torchrun sets them")
    return rank, local, size


def device() -> str:
    """Return this rank's device: a GPU of its own where there are GPUs."""
    return f"cuda:{ranks()[1]}" if torch.cuda.is_available() else "cpu"


def own(scenes: Sequence[Scene]) -> list[Scene]:
    """Return the scenes of this rank: every so many-th, so that together they are all."""
    rank, _, size = ranks()
    if size > len(scenes):
        raise PocketworldError(f"{len(scenes)} scenes for {size} ranks", "at least one each")
    return [scenes[i] for i in range(rank, len(scenes), size)]


class RanksRunner(OnPolicyRunner):  # type: ignore[misc, unused-ignore]
    """rsl_rl's runner, on GPUs by NCCL and on CPUs by Gloo."""

    def _configure_multi_gpu(self) -> None:
        rank, local, size = ranks()
        if size == 1 or self.device != "cpu":
            super()._configure_multi_gpu()
            return
        self.gpu_world_size, self.is_distributed = size, True
        self.gpu_local_rank, self.gpu_global_rank = local, rank
        self.cfg["multi_gpu"] = {"global_rank": rank, "local_rank": local, "world_size": size}
        torch.distributed.init_process_group(backend="gloo", rank=rank, world_size=size)
