"""The picture of `bench transfer`: success on held-out cousins against the number of cousins learnt in."""

from pathlib import Path
from typing import Any

from pocketworld.bench.transfer import Transfer

GREEN, GREY = "#2f8f5b", "#8a8a8a"


def draw(result: Transfer, file: Path) -> None:
    """Write a PNG: each seed a dot, the mean with the interval that holds it with 95 %."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.0), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    axes: Any = figure.add_subplot()
    rows = result.rows
    counts = [row.count for row in rows]
    means = [row.mean for row in rows]
    below = [row.mean - row.interval[0] for row in rows]
    above = [row.interval[1] - row.mean for row in rows]
    axes.plot(counts, [row.own for row in rows], color=GREY, ls="--", lw=1, label="cousins learnt in, mean")
    axes.errorbar(
        counts,
        means,
        [below, above],
        color=GREEN,
        lw=2,
        capsize=4,
        marker="o",
        label="held out",
    )
    for row in rows:
        axes.plot([row.count] * len(row.held), row.held, ".", color=GREEN, alpha=0.35)
    axes.set_xscale("log", base=2)
    axes.set_xticks(counts, [str(count) for count in counts])
    steps = max(run.env_steps for run in result.runs) / 1e6
    axes.set(xlabel="cousins learnt in", ylabel="share of joints opened", ylim=(-0.02, 1.02))
    about = f"{result.held} cousins held out, {steps:.1f} M steps a run, {len(rows[0].held)} seeds, 95 %"
    axes.set_title(about, fontsize=10)
    axes.grid(alpha=0.25)
    axes.legend(loc="lower right", fontsize=8)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, format="png", metadata={"Software": None})
