"""A learnt policy as ONNX, with a spec of what it sees and does, checked to do what it did in torch."""

import contextlib
import io
import logging
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from pocketworld.errors import PocketworldError
from pocketworld.rng import stream
from pocketworld.sim.robots import Robot
from pocketworld.sim.training.meaning import meaning
from pocketworld.sim.training.policy import (
    DEVIATION,
    DONE,
    SEEN,
    SPEC,
    WEIGHTS,
    deviation_of,
    session_of,
    spec_of,
)
from pocketworld.sim.training.run_folder import write_json

OPSET = 18
CHECKED = 64  # observations on which both must agree
CLOSE = 1e-4  # of actions in -1..1: single precision through four layers
MADE_BY = ("torch", "rsl-rl-lib", "mujoco", "numpy", "pocketworld")


def export(actor: Any, robot: Robot, folder: Path, facts: dict[str, Any]) -> None:
    """Write policy.onnx (any number of rows; the same bytes for the same weights) and policy.json.

    actor   rsl_rl's network: its own normalisation of observations goes into the file
    facts   what else its spec says: the task, what it was learnt in

    Raises PocketworldError where what was written does not do what the network does; then, and wherever it
    ends before, the policy that was there is as it was.
    """
    module = actor.as_onnx(verbose=False).to("cpu").eval()
    model = _converted(module)
    spec = spec_of(robot)
    spec |= {
        "meaning": meaning(robot, spec["observation"]),
        "input": {"name": SEEN, "shape": ["n", module.input_size], "type": "float32"},
        "output": {"name": DONE, "shape": ["n", len(robot.actions)], "type": "float32", "cut_to": [-1, 1]},
        DEVIATION: [round(float(one), 6) for one in deviation_of(actor)],
        **facts,
        "versions": {name: version(name) for name in MADE_BY},
    }
    new = folder / f".{WEIGHTS}.new"
    try:
        new.write_bytes(model.SerializeToString(deterministic=True))
        check(module, new)
        write_json(folder / SPEC, spec)
        new.replace(folder / WEIGHTS)
    finally:
        new.unlink(missing_ok=True)


def check(module: torch.nn.Module, file: Path) -> None:
    """Raise PocketworldError where a file and the network that it was made of do different things."""
    width = int(module.input_size)  # type: ignore[arg-type]
    seen = stream(0, "export").normal(size=(CHECKED, width)).astype(np.float32)
    with torch.inference_mode():
        ours = module(torch.from_numpy(seen)).numpy()
    theirs = session_of(file).run([DONE], {SEEN: seen})[0]
    worst = float(np.abs(ours - theirs).max())
    if not worst <= CLOSE * max(1.0, float(np.abs(ours).max())):
        raise PocketworldError(f"{file} differs from the network by {worst:.1e}", "another version of torch")


def _converted(module: Any) -> Any:
    """Return a network as an ONNX model, without the traces that name this machine's folders."""
    batch = {0: torch.export.Dim("n")}
    # The exporter warns of its own deprecations and logs that torchvision, which is not needed, is missing.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        dummy = (torch.zeros(2, module.input_size),)
        program = torch.onnx.export(
            module,
            dummy,
            input_names=[SEEN],
            output_names=[DONE],
            dynamic_shapes=(batch,),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    for holder in (
        model,
        model.graph,
        *model.graph.node,
        *model.graph.value_info,
        *model.graph.input,
        *model.graph.output,
        *model.graph.initializer,
    ):
        del holder.metadata_props[:]
        holder.doc_string = ""
    onnx.checker.check_model(model)
    return model
