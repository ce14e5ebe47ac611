"""The page: one file that loads nothing, says what is there and what is not, and lets no name break it."""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import trimesh

from pocketworld.cost import Cost
from pocketworld.cousins import sequence
from pocketworld.cousins import spec as specs
from pocketworld.families import registry
from pocketworld.families.cabinet.parameters import Cabinet, Chance, Front, FrontKind, HandleSpec, Split
from pocketworld.families.protocol import Elevation, Line, SeenHandle
from pocketworld.findings import Finding, Severity
from pocketworld.review.report import cousin_table, page
from pocketworld.review.report.page import ReportData
from pocketworld.review.report.scan_facts import ScanFacts
from pocketworld.scene import Asset, HandleKind, Mesh, Scene, Side

HOSTILE = """<script>alert(1)</script>" onload='x' {{ 7*7 }} {% raw %} </style></title> & \\ \u202e"""
VOID = {"meta", "img", "input", "br"}
OPTIONAL = {"tr", "td", "th", "li"}


def drawer(p: float, evidence: str = "a bow") -> Front:
    chances = (Chance(FrontKind.DRAWER, Side.NONE, p), Chance(FrontKind.FIXED, Side.NONE, 1 - p))
    return Front(chances=chances, evidence=(evidence,))


def cabinet(id: str, evidence: str = "a bow") -> Asset:
    grid = Split(True, (0.3, 0.3), (drawer(0.97, evidence), drawer(0.81, evidence)))
    asset = registry.family("cabinet").build(Cabinet(0.4, 0.5, 0.6, grid), id)
    other = registry.to_json(Cabinet(0.4, 0.5, 0.6, drawer(0.9, evidence)))
    return replace(asset, alternatives=((0.12, other),))


def still() -> Asset:
    front = Front(FrontKind.FIXED, handle=HandleSpec(HandleKind.NONE))
    return registry.family("cabinet").build(Cabinet(0.4, 0.5, 0.6, front), "still")


def elevations() -> tuple[Elevation, ...]:
    grey = np.full((300, 200, 3), 90, np.uint8)
    relief = np.zeros((300, 200), np.float32)
    line = Line(False, 0.3, 0.0, 0.4, 0.001, 0.77)
    handle = SeenHandle(HandleKind.BOW, 0.2, 0.45, 0.16, 0.02, 0.03, False, 0.8)
    front = Elevation("front", 0.4, 0.6, 0.002, grey, relief, (line,), (handle,), 9)
    return (front, Elevation("left", 0.5, 0.6, 0.002, grey, frames=2))


def surface() -> Mesh:
    shape = trimesh.creation.box((0.4, 0.5, 0.6))
    return Mesh(shape.vertices.astype(np.float32), shape.faces.astype(np.int32), seen=True)


def finding(severity: Severity, text: str, number: int = 0) -> Finding:
    return Finding("code", severity, "scan", f"subject {number}", text, {"moved_m": 0.012})


def everything(name: str) -> ReportData:
    """A page of which every text is `name`."""
    id = name.replace("/", "")  # a slash parts the ids of assets and joints
    asset = cabinet(id, name)
    twin = Scene(name, (asset,), provenance={"capture": name})
    return ReportData(
        name=name,
        scene=twin,
        scan=ScanFacts(name, ((name, name),), np.full((30, 40, 3), 200, np.uint8)),
        surface=surface(),
        elevations={id: elevations()},
        cousins=(sequence.make(twin, specs.preset("medium"), count=2, name="some"),),
        findings=[Finding(name, severity, name, name, name, {name: 1.0}) for severity in Severity],
        costs={name: Cost(1.0, 2.0, 300.0)},
        licence=name,
        versions={name: name},
        made=(name,),
        commands=(name,),
    )


class Reader(HTMLParser):
    """Collects a page's tags, attributes and text, and checks that tags close in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.raw: dict[str, str] = {}
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID | OPTIONAL:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag not in OPTIONAL:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style"):
            self.raw[self.open[-1]] = self.raw.get(self.open[-1], "") + data
        else:
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())

    def links(self) -> Iterator[str]:
        for _, attrs in self.tags:
            yield from (attrs[name] for name in ("src", "href", "action", "data", "poster") if name in attrs)


@pytest.fixture(scope="module")
def hostile() -> str:
    return page.render(everything(HOSTILE))


def test_no_name_breaks_out_of_its_place(hostile: str) -> None:
    seen = Reader(hostile)
    assert [tag for tag, _ in seen.tags].count("script") == 1
    assert all(not name.startswith("on") for _, attrs in seen.tags for name in attrs)
    # Each text that the data bring is there, as text.
    for tag in ("h1", "title", "code"):
        assert tag in {name for name, _ in seen.tags}
    assert seen.words.count(" ".join(HOSTILE.split())) > 15


def test_the_page_loads_nothing(hostile: str) -> None:
    seen = Reader(hostile)
    for link in seen.links():
        assert link.startswith(("data:image/webp;base64,", "#"))
    ids = {attrs["id"] for _, attrs in seen.tags if "id" in attrs}
    assert {link[1:] for link in seen.links() if link.startswith("#")} <= ids
    assert not re.search(r"url\(|@import|https?:|//[a-z]", seen.raw["style"] + seen.raw["script"])


def test_only_its_own_script_may_run(hostile: str) -> None:
    seen = Reader(hostile)
    (policy,) = (a["content"] for t, a in seen.tags if a.get("http-equiv") == "Content-Security-Policy")
    digest = base64.b64encode(hashlib.sha256(seen.raw["script"].encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        "img-src data:",
        "style-src 'unsafe-inline'",
        f"script-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_the_page_is_small(hostile: str) -> None:
    assert len(hostile.encode()) < 1e6


def test_each_part_of_the_page_has_its_content(hostile: str) -> None:
    seen = Reader(hostile)
    pictures = [attrs["alt"] for tag, attrs in seen.tags if tag == "img"]
    assert sum("seen from above" in alt for alt in pictures) == 1
    assert sum("the surface" in alt for alt in pictures) == 3
    assert sum("the twin" in alt for alt in pictures) == 7
    assert sum("cousin" in alt for alt in pictures) == 2
    assert sum(tag == "image" for tag, _ in seen.tags) == 3
    classes = [attrs.get("class", "") for _, attrs in seen.tags]
    assert classes.count("grip") == 2 + 1  # on colour, on relief, in the legend
    assert classes.count("mark slide") == 2 + 2 + 1
    assert "No " not in seen.words.replace("No draw was refused", "")


@pytest.fixture(scope="module")
def empty() -> Reader:
    return Reader(page.render(ReportData("bare", Scene("bare", ()))))


@pytest.mark.parametrize(
    "text",
    [
        "No furniture was found.",
        "The quality of the scan was not assessed.",
        "The capture does not say.",
        "Nothing was missing, guessed, dropped or replaced.",
        "No surface is kept with this world.",
        "There are no pictures: the twin is empty.",
        "This world has no cousins yet.",
        "No costs are kept with this world.",
    ],
)
def test_what_is_not_there_is_said(empty: Reader, text: str) -> None:
    assert text in empty.words


def test_a_twin_without_fronts_evidence_or_plan() -> None:
    asset = still()
    bare = replace(asset, parts=asset.parts[:1], joints=())
    fixed = Scene("s", (bare, replace(asset, id="other")))
    data = ReportData("s", fixed, scan=ScanFacts("good", (("walk", "3 m"),)))
    seen = Reader(page.render(data))
    assert "nothing on it moves" in seen.words
    assert "No evidence is named." in seen.words
    assert "Nothing opens." in seen.words
    assert "3 m" in seen.words
    assert not any("seen from above" in attrs.get("alt", "") for _, attrs in seen.tags)


def test_findings_stand_before_everything_else_and_the_worst_first() -> None:
    findings = [finding(Severity.NOTE, f"note number {i}", i) for i in range(5)]
    findings += [finding(Severity.DEGRADED, "worse than it could"), finding(Severity.LOST, "something lost")]
    seen = Reader(page.render(ReportData("s", Scene("s", ()), findings=findings)))
    order = ["1 lost, 1 degraded, 5 notes", "Something lost", "Worse than", "Note number 0", "The scan"]
    places = [seen.words.index(text) for text in order]
    assert places == sorted(places)
    assert "2 more like this (code)" in seen.words
    assert "Note number 4" in seen.words
    assert "moved 0.012\N{NO-BREAK SPACE}m" in " ".join(seen.text)


def test_equal_data_give_equal_bytes(tmp_path: Path) -> None:
    twin = Scene("s", (still(),))
    cousins = sequence.make(twin, specs.preset("near"), count=1)
    data = ReportData("s", twin, surface=surface(), elevations={"still": elevations()}, cousins=(cousins,))
    files = [tmp_path / "a.html", tmp_path / "b.html"]
    for file in files:
        page.write(data, file)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].read_text(encoding="utf-8").startswith("<!doctype html>")


def test_costs_are_compared_by_a_bar() -> None:
    costs = {"scan": Cost(2.0, 1.0, 100.0), "twin": Cost(9.0, 4.0, 900.4), "mjcf": Cost(0.0, 0.0, 50.0)}
    seen = Reader(page.render(ReportData("s", Scene("s", ()), costs=costs)))
    assert [a["style"] for _, a in seen.tags if a.get("class") == "meter"] == [
        "width:25.0%",
        "width:100.0%",
        "width:0.0%",
    ]
    assert "twin 4.0 9.0 900" in seen.words
    nothing = {"scan": Cost(0.0, 0.0, 1.0)}
    assert "width:0.0%" in page.render(ReportData("s", Scene("s", ()), costs=nothing))


def test_cousins_are_counted_and_compared_with_the_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cousin_table, "PICTURES", 1)
    twin = Scene("s", (cabinet("c"),))
    cousins = sequence.make(twin, specs.preset("medium"), seed=3, count=12)
    (section,) = cousin_table.sections([cousins])
    assert (section.name, section.count, section.shown) == ("medium", 12, 12)
    assert [line.cousin for line in section.lines] == [f"medium/{i}" for i in range(12)]
    refused = sum(count for _, count in section.refusals)
    facts = dict(section.facts)
    assert facts["cousins"] == "12"
    assert facts["draws refused"].startswith(f"{refused} of {12 + refused} (")
    assert 1 < int(facts["different layouts"]) <= 12
    for strip, name in zip(section.strips, ("width", "depth", "height"), strict=True):
        assert strip.title.startswith(f"{name} of c, varies by ")
        assert len(strip.dots) == 12
        assert all(0 <= x <= cousin_table.STRIP[0] for x, _ in strip.dots)
        assert 0 <= strip.twin <= cousin_table.STRIP[0]


def test_of_many_cousins_the_first_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cousin_table, "ROWS", 2)
    monkeypatch.setattr(cousin_table, "PICTURES", 1)
    twin = Scene("s", (cabinet("c"),))
    data = ReportData("s", Scene("s", ()), cousins=(sequence.make(twin, specs.preset("near"), count=3),))
    seen = Reader(page.render(data))
    assert "The first 2 of them are shown here" in seen.words
    assert "near/1" in seen.words
    assert "near/2" not in seen.words


def test_cousins_of_an_empty_twin_have_no_sizes() -> None:
    nothing = sequence.make(Scene("s", ()), specs.preset("near"), count=1)[:0]
    (section,) = cousin_table.sections([nothing])
    assert (section.count, section.strips, section.lines) == (0, (), ())
    assert dict(section.facts)["draws refused"] == "0 of 0 (0%)"


def test_a_cousins_fronts_and_handles_in_words() -> None:
    front = Front(FrontKind.DOOR, Side.LEFT, HandleSpec(HandleKind.BAR, vertical=True))
    grid = Split(True, (0.3, 0.3, 0.6), (Front(), Front(), front))
    asset = registry.family("cabinet").build(Cabinet(0.5, 0.5, 1.2, grid), "c")
    twin = Scene("s", (asset,))
    (section,) = cousin_table.sections([sequence.make(twin, specs.preset("twin"), count=1)])
    assert section.lines[0].fronts == "2 drawers, 1 door (hinge left)"
    assert section.lines[0].handles == "3 bar"
    assert section.lines[0].width == pytest.approx(500)
