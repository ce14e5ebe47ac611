"""Which cousins are learnt in and which are kept for the judgement: by their place in one set, never both."""

from dataclasses import dataclass

from pocketworld.cousins.sequence import Cousins
from pocketworld.errors import PocketworldError


@dataclass(frozen=True, eq=False, slots=True)
class Split:
    """Cousins of one set, still to be built; no cousin is in both."""

    train: Cousins
    held: Cousins

    def __post_init__(self) -> None:
        if both := set(self.train.ids) & set(self.held.ids):
            raise PocketworldError(f"cousin {min(both)} is both learnt in and held out", "one or the other")


def split(cousins: Cousins, train: int, held: int, skip: int = 0) -> Split:
    """Hold the first `held` cousins out and take `train` of the others, leaving out `skip` of them.

    The same are held out whatever is learnt in. Raises PocketworldError where there are too few.
    """
    if train < 1 or held < 1 or skip < 0:
        raise PocketworldError(f"{train} cousins to learn in, {held} held out", "at least 1 of each")
    if len(cousins) < needed(train, held, skip):
        raise PocketworldError(
            f"{cousins.name} has {len(cousins)} cousins; {train} to learn in, {held} held out are asked for",
            f"pocketworld cousins WORLD --count {needed(train, held, skip)} makes enough",
        )
    return Split(cousins[held + skip : held + skip + train], cousins[:held])


def needed(train: int, held: int, skip: int = 0) -> int:
    """Return how many cousins a split takes."""
    return train + held + skip
