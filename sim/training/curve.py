"""The learning curve as a picture."""

import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from pocketworld.errors import one_line
from pocketworld.sim.training.run_folder import Row

WINDOW = 5  # iterations that a line is averaged over
MILLIONS = 2e5  # environment steps from which on they are told in millions
GREEN, GREY = "#2f8f5b", "#8a8a8a"


def curve(rows: Sequence[Row], title: str) -> bytes:
    """Return a PNG: success and reward against environment steps, and the CPU time they took.

    A title may be any text: a folder's name.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.2), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    left: Any = figure.add_subplot()
    lines = _draw(rows, left, left.twinx())
    left.set_title(one_line(title), fontsize=10, parse_math=False)
    left.legend(handles=lines, loc="lower right", fontsize=8)
    return _png(figure)


def _draw(rows: Sequence[Row], left: Any, right: Any) -> list[Any]:
    """Draw success on the left axes and reward on the right ones; return the lines."""
    done = np.array([row.progress.env_steps for row in rows])
    word, unit = ("million", 1e6) if done[-1] >= MILLIONS else ("thousand", 1e3)
    steps = done / unit
    success = np.array([row.progress.success for row in rows], float)  # None, where no episode ended: nan
    reward = np.array([row.progress.reward for row in rows])
    mean = f"mean of {WINDOW} iterations"
    left.set(xlabel=f"{word} environment steps ({rows[-1].cpu_s / 60:.1f} min of CPU)", ylim=(0, 1.02))
    left.set_ylabel("share of episodes that succeed", color=GREEN)
    right.set_ylabel("reward a step", color=GREY)
    left.grid(alpha=0.25)
    left.set_zorder(right.get_zorder() + 1)
    left.patch.set_visible(False)
    return [
        *left.plot(steps, smooth(success), color=GREEN, lw=2, label=f"success while exploring, {mean}"),
        *left.plot(steps, success, color=GREEN, lw=0.6, alpha=0.4, label="the same, each iteration"),
        *right.plot(steps, smooth(reward), color=GREY, lw=1, label=f"reward a step, {mean}"),
    ]


def _png(figure: Any) -> bytes:
    """Return a figure as a PNG, the same bytes wherever it was drawn."""
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a name may be in letters that the font has not
        figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def smooth(values: Any) -> Any:
    """Return running means of those of the last WINDOW values (n,) that are numbers; nan where none is."""
    there = np.isfinite(values)
    upto = np.arange(1, len(values) + 1)
    since = np.maximum(upto - WINDOW, 0)
    sums, counts = (
        total[upto] - total[since]
        for total in (np.append(0.0, np.cumsum(of)) for of in (np.where(there, values, 0.0), there))
    )
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
