"""Frames that can't be read: found while they are read, left out from then on, and said once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from pocketworld.errors import CaptureError
from pocketworld.findings import Finding, Severity
from pocketworld.scan.capture import Capture, Frame


@dataclass(slots=True)
class Damage:
    """Which frames can't be read, by their number in the whole capture, and why."""

    why: dict[int, str] = field(default_factory=dict)

    def sound(self, capture: Capture, which: Iterable[int] | None = None) -> Iterator[Frame]:
        """Read frames one after the other, all or some (places in `capture`); damaged ones are noted."""
        for i in range(len(capture)) if which is None else which:
            if capture.order[i] in self.why:
                continue
            try:
                frame = capture[i]
            except CaptureError as error:
                self.why[capture.order[i]] = str(error)
                continue
            yield frame

    def without(self, capture: Capture) -> Capture:
        """Return the capture without the damaged frames."""
        left = np.array([i for i, number in enumerate(capture.order) if number not in self.why], int)
        if len(left) == len(capture):
            return capture
        return replace(
            capture,
            world_from_camera=capture.world_from_camera[left].copy(),
            order=tuple(capture.order[i] for i in left.tolist()),
            coloured=capture.coloured[left].copy(),
        )

    def findings(self, capture: Capture) -> tuple[Finding, ...]:
        """Return one finding where a frame of the capture is damaged: how many, and the first of them."""
        found = [self.why[number] for number in capture.order if number in self.why]
        if not found:
            return ()
        text = f"{len(found)} of {len(capture)} frames can't be read and are left out; the first: {found[0]}"
        numbers = {"frames": len(found), "of": len(capture)}
        severity = Severity.LOST if len(found) == len(capture) else Severity.DEGRADED
        return (Finding("frame-unreadable", severity, "reconstruct", capture.name, text, numbers),)
