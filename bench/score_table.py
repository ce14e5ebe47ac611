"""A score as a table to read in a terminal or a page."""

from typing import TYPE_CHECKING

from pocketworld.bench.errors import BoxError, PartError

if TYPE_CHECKING:
    from pocketworld.bench.counts import Counts
    from pocketworld.bench.instances import Instances
    from pocketworld.bench.loose import Loose
    from pocketworld.bench.score import Score, Spread


def table(score: "Score") -> str:
    """Return the score as lines of text: counts, one line a part, spreads, outer box, calibration."""
    lines = [f"{score.scene} against the truth of {score.capture}", _alignment(score), ""]
    lines += _counts(score)
    # A room has too many parts for a table: they are in the JSON.
    if score.instances is None:
        lines += ["", "errors after alignment (and before it)", *_parts(score)]
    lines += ["", *_spreads(score)]
    if score.refined.box and score.raw.box:
        lines += ["", *_box(score.refined.box, score.raw.box)]
    c = score.calibration
    said = c.why_not or f"expected error {_number(c.expected_error, 3)}, log loss {_number(c.log_loss, 3)}"
    lines += ["", f"calibration over {c.joints} joints: {said}"]
    return "\n".join(lines) + "\n"


def _alignment(score: "Score") -> str:
    a = score.alignment
    how = "refined by" if a.refined else "not refined:"
    moved = f"{a.offset * 1000:.1f} mm, {a.turned * 57.29578:.2f} deg"
    return f"alignment {how} {a.reason} ({moved})"


def _counts(score: "Score") -> list[str]:
    rows = [f"{'gate':<22}{'part':>24}{'+M':>24}{'+MA':>24}{'+MAO':>24}"]
    for name, parts in (
        ("5 deg, 50 mm", score.standard),
        ("tight: 2 deg, 10 mm", score.tight),
        ("if all were drawers", score.drawers),
    ):
        cells = "".join(f"{_count(c):>24}" for c in (parts.part, parts.m, parts.ma, parts.mao))
        rows.append(f"{name:<22}{cells}")
    if score.hinge_sides is not None:
        rows.append(f"hinges on the right side: {score.hinge_sides:.0%}")
    rows += [f"missed: {', '.join(score.missed)}"] * bool(score.missed)
    rows += [f"false: {', '.join(score.false)}"] * bool(score.false)
    if score.instances is not None:
        rows += [
            f"open what never opens: {', '.join(score.on_still) or 'none'}",
            *_instances(score.instances),
        ]
    if score.loose is not None:
        rows += _loose(score.loose)
    return rows


def _loose(found: "Loose") -> list[str]:
    right, lost, false = len(found.found), len(found.missed), len(found.invented)
    kinds = ", ".join(f"{name} {n} ({m} as such) of {t}" for name, (n, m, t) in found.kinds.items())
    rows = [f"loose things, box IoU >= 0.3: found {right}, missed {lost}, invented {false}"]
    rows += [f"  {kinds}"] * bool(kinds)
    if found.found:
        place, size = (sorted(getattr(one, name) for one in found.found) for name in ("place_mm", "size_mm"))
        rows.append(
            f"  median error of place {place[right // 2]:.0f} mm, of the worst size {size[right // 2]:.0f} mm"
        )
    rows += [f"  missed: {', '.join(id for id, _ in found.missed)}"] * bool(lost)
    return rows + [f"  invented: {', '.join(found.invented)}"] * bool(false)


def _instances(found: "Instances") -> list[str]:
    rows = [f"things as wholes, box IoU >= 0.5: {_count(found.counts)}"]
    rows += [f"things missed: {', '.join(found.missed)}"] * bool(found.missed)
    return rows + [f"things false: {', '.join(found.false)}"] * bool(found.false)


def _count(counts: "Counts") -> str:
    return f"F1 {counts.f1:.3f} ({counts.right} of {counts.predicted}/{counts.true})"


def _parts(score: "Score") -> list[str]:
    before = {error.true: error for error in score.raw.parts}
    columns = ("top", "bottom", "left", "right", "height", "handle")
    head = "".join(f"{c + ' mm':>18}" for c in columns)
    rows = [f"{'true part':<14}{'predicted':<24}{'IoU':>6}{'axis deg':>10}{head}"]
    for error in score.refined.parts:
        was = before.get(error.true)
        cells = zip(_cells(error), _cells(was) if was else [""] * len(columns), strict=True)
        text = "".join(f"{f'{now} ({then})':>18}" for now, then in cells)
        kind = "" if error.kind_right else "  WRONG KIND"
        rows.append(
            f"{error.true:<14}{error.predicted:<24}{error.iou:>6.3f}{error.axis_deg:>10.2f}{text}{kind}"
        )
    return rows


def _cells(error: PartError) -> list[str]:
    e = error.edges
    handle = "-" if error.handle is None else f"{error.handle.distance:.1f}"
    return [*(f"{value:+.1f}" for value in (e.top, e.bottom, e.left, e.right, e.height)), handle]


def _spreads(score: "Score") -> list[str]:
    s, r = score.refined.spreads, score.raw.spreads
    rows = [f"{'error':<22}{'median':>10}{'90 %':>10}{'of':>5}   before alignment"]
    for name, now, was in (
        ("axis, deg", s.axis_deg, r.axis_deg),
        ("hinge line, mm", s.line_mm, r.line_mm),
        ("range, % of true", s.range_percent, r.range_percent),
        ("state, m or rad", s.state, r.state),
        ("front edges, mm", s.edges_mm, r.edges_mm),
        ("handle, mm", s.handle_mm, r.handle_mm),
    ):
        rows.append(f"{name:<22}{_spread(now)}{now.count:>5}   {_spread(was).strip()}")
    return rows


def _spread(spread: "Spread") -> str:
    return f"{_number(spread.median):>10}{_number(spread.p90):>10}"


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _box(now: BoxError, was: BoxError) -> list[str]:
    sizes = "  ".join(f"{name} {getattr(now, name):+.1f}" for name in ("width", "depth", "height"))
    rows = [f"outer box of {now.asset}, mm: {sizes}"]
    for name, box in (("after", now), ("before", was)):
        faces = "  ".join(
            f"{f} {getattr(box, f):+.1f}" for f in ("left", "right", "front", "back", "bottom", "top")
        )
        rows.append(f"  faces outside the true ones, {name} alignment: {faces}  yaw {box.yaw_deg:+.2f} deg")
    return rows
