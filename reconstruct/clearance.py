"""Whether what opens in a twin clears what stands fixed beside it: measured furniture need not."""

from collections.abc import Iterator

from pocketworld.findings import Finding, Severity
from pocketworld.geometry.across import across, named
from pocketworld.geometry.depth import SLACK
from pocketworld.scene import Base, Scene


def crossings(scene: Scene) -> Iterator[Finding]:
    """Give a finding for each asset that, as it opens, stands deeper than SLACK in a neighbour.

    Nothing is moved: both are where they were measured. What is free to be pushed is in nobody's way.
    """
    fixed = [asset for asset in scene.assets if asset.base is Base.FIXED]
    for asset in fixed:
        hits = across(asset, [other for other in fixed if other is not asset], SLACK)
        if hits:
            deepest, others = hits[0], {named(hit.parts[1])[0] for hit in hits}
            (_, joint), (other, _) = named(deepest.joint), named(deepest.parts[1])
            text = f"joint {joint} takes it {1000 * deepest.depth:.0f} mm into {other} as it opens"
            numbers = {
                "depth_m": round(deepest.depth, 4),
                "q": round(deepest.q, 3),
                "neighbours": len(others),
            }
            yield Finding("opens-into-neighbour", Severity.DEGRADED, "reconstruct", asset.id, text, numbers)
