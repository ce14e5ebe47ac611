from pathlib import Path

import numpy as np

from pocketworld.scan.readers import read


def test_the_pedestal_is_read_as_its_format_says(captures: Path) -> None:
    capture = read(captures / "tum_fr3_cabinet")
    assert (len(capture), capture.format, capture.findings) == (58, "TUM RGB-D", ())
    frame = capture[3]
    assert frame.depth_camera is not None
    np.testing.assert_allclose(
        frame.depth_camera.matrix, [[535.4, 0, 320.1], [0, 539.2, 247.6], [0, 0, 1]], rtol=0, atol=1e-12
    )
