"""The family "cabinet": its parts put together."""

from pocketworld.families.cabinet import fit
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.mutate import WIDEST, mutate
from pocketworld.families.cabinet.parameters import Cabinet
from pocketworld.families.cabinet.sample import sample
from pocketworld.families.protocol import Array, Draw, Evidence, Refusal, Site, Spread
from pocketworld.scene import Asset


class CabinetFamily:
    """Boxes of boards with drawers, doors and shelves (`pocketworld.families.protocol.Family`)."""

    name = "cabinet"
    parameters = Cabinet
    widest = WIDEST

    def sample(self, draw: Draw, site: Site) -> Cabinet:
        """Return one plausible cabinet for a place."""
        return sample(draw, site)

    def build(self, p: Cabinet, id: str, *, visual: bool = True) -> Asset:
        """Return the asset at the origin, with meshes for the eye if `visual`."""
        return build(p, id, visual=visual)

    def propose(self, evidence: Evidence) -> list[Cabinet]:
        """Return starting points for a fit, the likeliest first."""
        return fit.propose(evidence)

    def residual(self, p: Cabinet, evidence: Evidence) -> Array:
        """Return weighted residuals (k,) in standard deviations."""
        return fit.residual(p, evidence)

    def mutate(self, p: Cabinet, spread: Spread, draw: Draw) -> Cabinet | Refusal:
        """Return another cabinet of the same function, or why it can't be."""
        return mutate(p, spread, draw)
