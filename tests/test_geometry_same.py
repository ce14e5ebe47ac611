"""Keys of caches that are told from others by identity."""

from pocketworld.geometry.same import Same


def test_only_the_very_same_thing_is_equal() -> None:
    a, b = [1, 2], [1, 2]
    assert Same(a) == Same(a)
    assert Same(a) != Same(b)
    assert Same(a) != a
    assert hash(Same(a)) == hash(Same(a))
    assert len({Same(a): 1, Same(b): 2, Same(a): 3}) == 2


def test_a_key_keeps_its_thing_alive() -> None:
    """Else another thing might be given the same number while the cache still has the first one's answer."""
    keys = {Same([i]) for i in range(1000)}
    assert len(keys) == 1000
    assert sorted(key.it[0] for key in keys) == list(range(1000))
