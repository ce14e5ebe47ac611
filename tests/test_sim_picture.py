"""Pictures and films: what is drawn, what is written, what is said where nothing can draw."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld import workflow
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Split
from pocketworld.scene import HandleKind, Material, Pose, Scene, Side
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.film import FPS, HOLD, film
from pocketworld.sim.models import mjcf
from pocketworld.sim.pictures import display, views
from pocketworld.sim.pictures.caption import TALL, Caption, End, captioned
from pocketworld.sim.pictures.picture import contact_sheet, picture, renderer, tile
from pocketworld.sim.worlds import Worlds

SMALL = (160, 120)
HIGH = 240 + 2 * TALL  # pixels, of a picture with its words
RED = Material((0.8, 0.02, 0.02))


def scene(number: int = 0, colour: Material = RED) -> Scene:
    fronts = (
        Front(FrontKind.DRAWER, Side.NONE, usual(HandleKind.BAR)),
        Front(FrontKind.DOOR, Side.LEFT, usual(HandleKind.KNOB, 0.9, 0.5)),
    )
    asset = build(
        Cabinet(0.5 + 0.05 * number, 0.45, 0.7, Split(True, (1.0, 1.5), fronts), face=colour), "chest"
    )
    return Scene(f"s{number}", (asset,))


def red(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    r, g, b = np.moveaxis(image.astype(int), -1, 0)
    out: NDArray[np.bool_] = (r > 2 * g) & (r > 2 * b) & (r > 50)
    return out


def test_a_picture_shows_the_front_in_its_middle_and_colour() -> None:
    image = picture(scene(), size=SMALL)
    assert image.shape == (120, 160, 3)
    assert image.dtype == np.uint8
    rows, columns = np.nonzero(red(image))
    assert 0.05 < red(image).mean() < 0.6
    assert 0.25 < columns.mean() / 160 < 0.75
    assert 0.25 < rows.mean() / 120 < 0.85
    assert not red(image)[[0, -1]].any()
    assert not red(image)[:, [0, -1]].any()


def test_the_same_scene_gives_the_same_picture() -> None:
    assert np.array_equal(picture(scene(), 0.5, SMALL), picture(scene(), 0.5, SMALL))


def test_turned_furniture_is_seen_from_its_own_front() -> None:
    home = scene()
    away = replace(home, assets=(replace(home.assets[0], pose=Pose.upright((3.0, 2.0, 0.0), 2.5)),))
    a, b = (red(picture(s, size=SMALL)) for s in (home, away))
    assert (a ^ b).mean() < 0.02


def test_what_is_open_looks_open() -> None:
    (asset,) = scene().assets
    drawer, door = (f"chest/{joint.id}" for joint in asset.movable)
    closed, half, wide = (picture(scene(), openness, SMALL).astype(int) for openness in (0.0, 0.5, 1.0))
    only = picture(scene(), {drawer: 1.0}, SMALL).astype(int)
    both = picture(scene(), {drawer: 1.0, door: 1.0}, SMALL).astype(int)
    assert np.array_equal(both, wide)
    for a, b in ((closed, half), (half, wide), (closed, only), (only, wide)):
        assert (np.abs(a - b).max(-1) > 30).mean() > 0.01


def test_a_sheet_holds_all_in_rows() -> None:
    sheet = contact_sheet([scene(i) for i in range(5)], columns=3, size=SMALL)
    assert sheet.shape == (2 * 120 + 4, 3 * 160 + 8, 3)
    assert np.array_equal(sheet[124:, 164:324], picture(scene(4), 0.6, SMALL))
    assert (sheet[124:, 328:] == 255).all()


def test_tiles_lie_side_by_side() -> None:
    images = [np.full((4, 6, 3), i, np.uint8) for i in range(3)]
    assert tile(images, 5, gap=0)[0, :, 0].tolist() == [0] * 6 + [1] * 6 + [2] * 6
    assert tile(images, 1, gap=1)[:, 0, 0].tolist() == [0] * 4 + [255] + [1] * 4 + [255] + [2] * 4
    with pytest.raises(PocketworldError, match=r"^a sheet of no pictures; give at least one$"):
        tile([], 3)


def test_where_nothing_can_draw_it_is_said_in_one_line(tmp_path: Path) -> None:
    code = (
        "import sys; from pocketworld.errors import PocketworldError\n"
        "from pocketworld.scene import Scene; from pocketworld.sim.pictures.picture import picture\n"
        "try: picture(Scene('empty', ()))\n"
        "except PocketworldError as error: print(error)"
    )
    environ = {"MUJOCO_GL": "disable", "PATH": "/usr/bin"}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environ, cwd=tmp_path
    )
    assert run.stdout.startswith("MuJoCo can't draw here: "), run.stderr
    assert run.stdout.count("\n") == 1
    assert "set MUJOCO_GL to egl or osmesa" in run.stdout


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"DISPLAY": ":0"}, ""),
        ({"WAYLAND_DISPLAY": "wayland-0"}, ""),
        ({"MUJOCO_GL": "osmesa"}, "osmesa"),
        ({"MUJOCO_GL": "glfw", "DISPLAY": ":0"}, "glfw"),
    ],
)
def test_what_draws_is_left_to_who_has_a_screen_or_a_wish(environ: dict[str, str], expected: str) -> None:
    before = dict(environ)
    assert display.choose(environ) == expected
    assert environ == before


def test_without_a_screen_it_is_the_first_library_that_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = []
    for libraries in (
        {"egl": "libc.so.6"},
        {"egl": "libnone.so.1", "osmesa": "libc.so.6"},
        {"egl": "libnone.so.1"},
    ):
        monkeypatch.setattr(display, "LIBRARIES", libraries)
        environ: dict[str, str] = {}
        chosen.append(display.choose(environ))
        assert environ.get("MUJOCO_GL", "") == chosen[-1]
    assert chosen == ["egl", "osmesa", ""]


# Films


def frames(file: Path) -> list[NDArray[np.uint8]]:
    video = cv2.VideoCapture(str(file))
    assert round(video.get(cv2.CAP_PROP_FPS)) == FPS
    out = []
    while (read := video.read())[0]:
        out.append(read[1][:, :, ::-1])
    return out


def test_a_film_shows_the_expert_opening_things(tmp_path: Path) -> None:
    env = WorldEnv([scene(i) for i in range(2)], 3, threads=1, render_mode="rgb_array", max_steps=80)
    won, _, steps = film(env, expert, tmp_path / "out.mp4", columns=2)
    env.close()
    assert won.all()
    seen = frames(tmp_path / "out.mp4")
    assert 20 < steps <= 80
    assert len(seen) == 1 + steps + HOLD
    assert seen[0].shape == (2 * HIGH + 4, 2 * 320 + 4, 3)
    tops = [frame[TALL : TALL + 240, :320].astype(int) for frame in (seen[0], seen[-1])]
    assert (np.abs(tops[0] - tops[1]).max(-1) > 30).mean() > 0.02
    bars = [frame[HIGH - 3, 4:316].astype(int) for frame in (seen[0], seen[-1])]
    blue = [(bar[:, 2] > bar[:, 0] + 100).mean() for bar in bars]
    assert blue[0] < 0.05
    assert blue[1] > 0.95


def test_what_is_missed_is_said_to_have_failed(tmp_path: Path) -> None:
    env = WorldEnv([scene()], threads=1, render_mode="rgb_array", max_steps=5)
    drawer = f"chest/{scene().assets[0].movable[0].id}"
    won, _, steps = film(env, lambda env: np.zeros((1, 4)), tmp_path / "out.mp4", joints=[drawer])
    assert not won.any()
    assert steps == 5
    env.close()
    seen = frames(tmp_path / "out.mp4")[-1].astype(int)
    bar = seen[HIGH - 3, 4:316]
    assert (bar[:, 0] > bar[:, 1] + 60).mean() > 0.95
    said = Caption("open the drawer of chest", "FAILED in 0.2 s: 0 % of the way", "s0", 0.0, End.FAILED)
    mute, lines = Caption("", "", "", 0.0, End.FAILED), np.r_[0:TALL, HIGH - TALL : HIGH]
    off = [
        np.abs(seen - captioned(seen[TALL:-TALL].astype(np.uint8), words))[lines].mean()
        for words in (said, mute)
    ]
    assert off[0] < 0.5 * off[1]  # a film's letters are blurred


def test_a_film_without_a_place_is_one_line(tmp_path: Path) -> None:
    env = WorldEnv([scene()], threads=1, render_mode="rgb_array")
    with pytest.raises(
        PocketworldError, match=r"^can't write the film .*/none/out.mp4; name a .mp4 in a folder"
    ):
        film(env, expert, tmp_path / "none" / "out.mp4")
    env.close()


def test_a_film_that_breaks_off_leaves_the_older_one(tmp_path: Path) -> None:
    def breaks(worlds: Worlds) -> NDArray[np.float64]:
        if worlds.steps[0] == 2:
            raise RuntimeError("policy")
        return np.zeros((1, 4))

    env = WorldEnv([scene()], threads=1, render_mode="rgb_array")
    (tmp_path / "out.mp4").write_text("older")
    with pytest.raises(RuntimeError, match="policy"):
        film(env, breaks, tmp_path / "out.mp4")
    env.close()
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]
    assert (tmp_path / "out.mp4").read_text() == "older"


def test_a_film_in_a_folders_place_is_one_line(tmp_path: Path) -> None:
    env = WorldEnv([scene()], threads=1, render_mode="rgb_array", max_steps=2)
    (tmp_path / "out.mp4").mkdir()
    with pytest.raises(PocketworldError, match=r"^can't write the film .*/out.mp4; name a .mp4"):
        film(env, expert, tmp_path / "out.mp4")
    env.close()
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]


def test_only_what_is_looked_at_is_compiled() -> None:
    env = WorldEnv([scene(i) for i in range(3)], threads=1, render_mode="rgb_array")
    env.reset(seed=0)
    assert env._views is not None
    assert not env._views._models
    env.draw([1])
    assert list(env._views._models) == [1]
    env.close()


def test_looking_changes_nothing() -> None:
    ends = []
    for mode in (None, "rgb_array"):
        env = WorldEnv([scene()], threads=1, render_mode=mode)
        env.reset(seed=0)
        for _ in range(6):
            env.step(expert(env.worlds))
            if mode:
                (image,) = env.render()
                assert image.shape == (240, 320, 3)
        ends.append(env.worlds.physics.qpos(0))
        env.close()
    assert np.array_equal(ends[0], ends[1])


def test_renderers_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "KEPT", 1)
    env = WorldEnv([scene(i) for i in range(2)], threads=1, render_mode="rgb_array")
    env.reset(seed=0)
    first = env.render()
    assert env._views is not None
    assert len(env._views._renderers) == 1
    assert all(np.array_equal(a, b) for a, b in zip(first, env.render(), strict=True))
    env.close()
    assert not env._views._renderers


def test_a_renderer_takes_no_more_room_than_its_picture() -> None:
    model = mjcf.document(scene()).compile()
    with renderer(model, (64, 48)):
        assert (model.vis.global_.offwidth, model.vis.global_.offheight) == (64, 48)


@pytest.mark.parametrize("name", ["out.gif", "out", "none/out.mp4"])
def test_a_film_that_cant_be_is_refused_before_anything_is_loaded(name: str, tmp_path: Path) -> None:
    with pytest.raises(PocketworldError, match=r"^can't write the film .*; name a .mp4 in a folder"):
        workflow.run_sim(tmp_path / "no.world", None, 1, 0, tmp_path / name, lambda _: None)
