"""Where shards are computed: in this process, one after another, or in Ray's workers on many machines."""

import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import Any, Protocol

from pocketworld.errors import PocketworldError
from pocketworld.extras import require
from pocketworld.sim.backends import cores
from pocketworld.sim.shards.rollout import Arrays, Job, Worker
from pocketworld.sim.shards.shard import Shard

Tick = Callable[[str], None]
LIVES = 3  # how often a worker, and what it was at, is begun anew
STORE = (
    200 * 2**20
)  # bytes of a local cluster's object store: results are small, the default is 30 % of memory
AUTO = "auto"  # the cluster that this machine is part of
PATIENCE = 5.0  # s in which a cluster's machine answers
LOCAL = "local"  # instead of an address: a cluster of this machine, for as long as it is needed
FORMS = f"{LOCAL}, {AUTO}, HOST:PORT or ray://HOST:PORT"
# What to do where there is none: "warp" takes a GPU unless it is told to do without: so all shards agree.
INSTEAD = {"CPU": "add a machine", "GPU": "add a machine that has one, or compute without: --device cpu"}
# Of every worker, before it imports anything: threads that spin while they wait bring a machine to a crawl.
CALM = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
# Ray tells its makers how it is used, and says so, unless asked not to.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


class Pool(Protocol):
    """What computes shards; lost: how often a worker died and was begun anew."""

    lost: int

    def do(self, job: Job, tick: Tick = ...) -> list[Arrays]:
        """Return what a job comes to in each shard, in their order; tick as each is done."""
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


class Here:
    """Computes shards in this process."""

    lost = 0

    def __init__(self, shards: Sequence[Shard]) -> None:
        self._shards, self._worker = tuple(shards), Worker()

    def do(self, job: Job, tick: Tick = lambda _: None) -> list[Arrays]:
        """See Pool."""
        out = []
        for which, shard in enumerate(self._shards):
            out.append(self._worker.do(which, shard, job))
            tick(_told(which + 1, len(self._shards)))
        return out

    def close(self) -> None:
        """See Pool."""
        self._worker.close()


class Births:
    """Counts how often a worker's process has begun: from outside two deaths in a row look like one."""

    def __init__(self) -> None:
        self._count = 0

    def add(self) -> None:
        """Count one."""
        self._count += 1

    def count(self) -> int:
        """Return how many there were."""
        return self._count


class Member:
    """A worker of a cluster, which counts itself with the first thing it is asked for.

    It is made of nothing: what an actor is given as it is made may be gone when it is begun anew.
    """

    def __init__(self) -> None:
        self._worker, self._counted = Worker(), False

    def do(self, births: Any, which: int, shard: Shard, job: Job) -> Arrays:
        """Return what a job comes to in a shard."""
        self._count(births)
        return self._worker.do(which, shard, job)

    def process(self, births: Any) -> int:
        """Return its process's number."""
        self._count(births)
        return self._worker.process()

    def _count(self, births: Any) -> None:
        import ray

        if not self._counted:
            ray.get(births.add.remote())
            self._counted = True


class Cluster:
    """Computes shards in Ray's actors, which are begun anew where they die.

    address   of a cluster ("auto": the one that this machine is part of), or LOCAL
    lost      how often a worker's process died and was begun anew, so far

    Raises PocketworldError where there is no such cluster, or no room in it.
    """

    def __init__(self, shards: Sequence[Shard], address: str = LOCAL) -> None:
        require("ray", "ray")
        self._mine, self.lost = _joined(address), 0
        self._workers: list[Any] = []
        self._births: Any = None
        try:
            self._hire(shards)
        except BaseException:
            self.close()
            raise

    def _hire(self, shards: Sequence[Shard]) -> None:
        """Make workers, as many as there is room for, and store the shards where they find them."""
        gpus = max(shard.gpus for shard in shards)
        import ray

        # One that waits for room while others keep theirs waits for ever.
        count = min(_room("GPU" if gpus else "CPU"), len(shards))
        calm: dict[str, Any] = {"env_vars": CALM}
        self._births = ray.remote(num_cpus=0, runtime_env=calm)(Births).remote()
        made: Any = ray.remote(
            num_cpus=1,
            num_gpus=gpus,
            max_restarts=LIVES,
            max_task_retries=LIVES,
            runtime_env=calm,
        )(Member)
        self._workers += [made.remote() for _ in range(count)]
        self._shards = [ray.put(shard) for shard in shards]
        self.processes()  # they are there

    def do(self, job: Job, tick: Tick = lambda _: None) -> list[Arrays]:
        """See Pool.

        Raises PocketworldError for what a shard raised so, and for a shard that was lost time and again.
        """
        import ray

        given = ray.put(job)
        count = len(self._shards)
        with redirect_stdout(StringIO()):  # where Ray tells at length of workers that died
            asked = [
                self._worker(k).do.remote(self._births, k, shard, given)
                for k, shard in enumerate(self._shards)
            ]
            left = list(asked)
            while left:
                _, left = ray.wait(left)
                tick(_told(count - len(left), count))
            out = [_got(which, one) for which, one in enumerate(asked)]
        self.lost = int(ray.get(self._births.count.remote())) - len(self._workers)
        return out

    def processes(self) -> list[int]:
        """Return the number of each worker's process."""
        import ray

        return [
            int(number)
            for number in ray.get([worker.process.remote(self._births) for worker in self._workers])
        ]

    def close(self) -> None:
        """End the workers, and the cluster if it was made for them."""
        import ray

        for actor in (*self._workers, self._births):
            if actor is not None:
                ray.kill(actor)
        self._workers, self._births = [], None
        if self._mine:
            ray.shutdown()

    def _worker(self, which: int) -> Any:
        return self._workers[which % len(self._workers)]


def pool(shards: Sequence[Shard], address: str | None = None) -> Pool:
    """Return what computes shards: this process, or a cluster's where an address is given."""
    return Here(shards) if address is None else Cluster(shards, address)


def _told(done: int, of: int) -> str:
    return f"shard {done} of {of}"


def _room(of: str) -> int:
    """Return how many a cluster has left of what a worker takes; what others have just left comes back soon.

    Raises PocketworldError where it has none, or none left.
    """
    import ray

    until = time.monotonic() + PATIENCE
    while True:
        room = int(ray.available_resources().get(of, 0))  # type: ignore[no-untyped-call]
        if room:
            return room
        if time.monotonic() > until:
            if not ray.cluster_resources().get(of):  # type: ignore[no-untyped-call]
                raise PocketworldError(f"the cluster has no {of}", INSTEAD[of])
            raise PocketworldError(f"the cluster has no {of} left", f"wait, or {INSTEAD[of]}")
        time.sleep(0.1)


def _joined(address: str) -> bool:
    """Join a cluster, or make one of this machine; say whether that was done here (and is to be undone).

    Raises PocketworldError where there is none at that address.
    """
    answers(address)
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if address == LOCAL and "RAY_AUTH_MODE" not in os.environ:
        # Ray would write a token into the home folder; this one lasts as long as the process.
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
    import ray

    if ray.is_initialized():
        return False
    own = {"num_cpus": cores(), "include_dashboard": False, "object_store_memory": STORE}
    where: dict[str, Any] = own if address == LOCAL else {"address": address}
    try:
        with _own_handler():
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **where)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        why = str(error).strip().splitlines()[0][:160]
        raise PocketworldError(
            f"no Ray cluster at {address!r}: {why}", "ray start --head makes one"
        ) from error
    return True


@contextmanager
def _own_handler() -> Iterator[None]:
    """Put back what this process does on SIGTERM: Ray ends it at once, with nothing cleaned up."""
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's alone
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def answers(address: str) -> None:
    """Raise PocketworldError for what is no address, and where nothing listens at HOST:PORT.

    Ray would try for ten minutes.
    """
    if address in (LOCAL, AUTO):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise PocketworldError(f"no Ray cluster at {address!r}: that is no address", f"give {FORMS}")
    try:
        socket.create_connection((host, int(port)), PATIENCE).close()
    except (OSError, ValueError, OverflowError) as error:
        what = f"no Ray cluster at {address!r}: {_line(error)}"
        raise PocketworldError(what, f"HOST:PORT, {AUTO} or {LOCAL}; ray start --head makes one") from None


def _got(which: int, one: Any) -> Arrays:
    """Return a shard's result; what it raised, raise here."""
    import ray
    from ray.exceptions import RayError, RayTaskError

    try:
        out: Arrays = ray.get(one)
    except RayTaskError as error:
        if isinstance(error.cause, PocketworldError):
            raise error.cause from None
        raise
    except RayError as error:
        why = str(error).strip().splitlines()[0][:160]
        raise PocketworldError(
            f"shard {which} was lost {LIVES + 1} times: {why}", "see Ray's logs"
        ) from error
    return out


def _line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:160]
