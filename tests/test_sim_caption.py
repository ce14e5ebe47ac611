"""What a film says of its pictures: words that fit, a bar as long as the way, no verdict by colour alone."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.sim.pictures.caption import TALL, TRACK, WAY, Caption, End, captioned

IMAGE = np.arange(240 * 320 * 3, dtype=np.uint32).astype(np.uint8).reshape(240, 320, 3)
ASKED = "open the bottom drawer of cabinet-12"


def said(left: str = "", right: str = "", share: float = 0.0, end: End = End.RUNS) -> Caption:
    return Caption(ASKED, left, right, share, end)


def below(caption: Caption) -> NDArray[np.uint8]:
    return captioned(IMAGE, caption)[-TALL:]


def test_the_picture_itself_is_left_as_it_is() -> None:
    out = captioned(IMAGE, said("1.2 s   45 % of the way", "medium/7", 0.45))
    assert out.shape == (240 + 2 * TALL, 320, 3)
    assert np.array_equal(out[TALL:-TALL], IMAGE)
    assert np.array_equal(IMAGE.ravel()[:300], np.arange(300).astype(np.uint8))


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_the_bar_is_as_long_as_the_way_that_is_done(share: float) -> None:
    bar = below(said(share=share))
    assert (bar == WAY).all(-1).mean(1) == pytest.approx(share)
    assert (bar == TRACK).all(-1).mean(1) == pytest.approx(1 - share)


@pytest.mark.parametrize(("share", "same"), [(-0.4, 0.0), (1.7, 1.0)])
def test_a_bar_ends_with_its_line(share: float, same: float) -> None:
    assert np.array_equal(below(said(share=share)), below(said(share=same)))


def test_ends_differ_in_words_and_in_lightness_as_well_as_in_hue() -> None:
    """Grey, as who sees no colours sees them: what runs is light, what ended is dark, the rest is words."""
    runs, done, failed = (below(said(end=end)).mean() for end in End)
    assert runs > 200 > max(done, failed)
    words = [below(said(text, end=End.DONE)).astype(int) for text in ("OPENED in 1.2 s", "FAILED in 1.2 s")]
    assert (np.abs(words[0] - words[1]).max(-1) > 100).sum() > 20


@pytest.mark.parametrize("text", ["a", "m" * 45, "m" * 400])
def test_words_keep_to_their_own_room(text: str) -> None:
    left = below(said(left=text)) != below(said())
    right = below(said(right=text)) != below(said())
    assert left.any()
    assert right.any()
    assert not left[:, int(0.6 * 320) :].any()
    assert not right[:, : int(0.6 * 320) - 1].any()
    assert not left[[0, -1]].any()


def test_the_longest_thing_that_is_asked_is_written_whole() -> None:
    longest = "close the second drawer from the left of cabinet-12"
    whole, cut = (
        captioned(IMAGE, Caption(text, "", "", 0.0))[:TALL] for text in (longest, longest.removesuffix("12"))
    )
    assert (whole != cut).any()
