"""Numbers, findings and verdicts in words."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from math import degrees

from pocketworld.findings import Finding, Severity, worst_first
from pocketworld.scene import Joint, JointKind, Scene

MEANING = {
    Severity.LOST: "something one would expect is not there",
    Severity.DEGRADED: "it works, but worse than it could",
    Severity.NOTE: "good to know",
}
# Units as they end the names of a finding's numbers, and how they are written.
UNITS = {
    "m": "m",
    "mm": "mm",
    "px": "px",
    "s": "s",
    "m2": "m²",
    "rad": "rad",
    "deg": "°",
    "kg": "kg",
    "mb": "MB",
    "share": "",
}

# A value, its unit and its sigma are never parted by the end of a line.
SPACE = "\N{NO-BREAK SPACE}"
PLUS_MINUS = f"±{SPACE}"


@dataclass(frozen=True, slots=True)
class Said:
    """One finding: what it is about, the sentence, its numbers in words."""

    subject: str
    text: str
    numbers: str


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one severity; those of one stage and code are beside each other."""

    severity: Severity
    meaning: str
    count: int
    codes: tuple[tuple[str, str, tuple[Said, ...]], ...]


def grouped(findings: Iterable[Finding]) -> tuple[Group, ...]:
    """Return findings by severity, worst first, then by stage and code in the order in which they came."""
    groups = []
    for severity, some in groupby(worst_first(findings), key=lambda f: f.severity):
        codes: dict[tuple[str, str], list[Said]] = {}
        for f in some:
            codes.setdefault((f.stage, f.code), []).append(
                Said(f.subject, sentence(f.text), amounts(f.numbers))
            )
        listed = tuple((stage, code, tuple(alike)) for (stage, code), alike in codes.items())
        groups.append(Group(severity, MEANING[severity], sum(len(alike) for *_, alike in listed), listed))
    return tuple(groups)


def amounts(numbers: Mapping[str, float]) -> str:
    """Return {"moved_m": 0.01, "frames": 3} as "moved 0.01 m, frames 3": the unit ends the name."""
    words = []
    for name, value in numbers.items():
        head, _, tail = name.rpartition("_")
        known = bool(head) and tail in UNITS
        unit = UNITS[tail] if known else ""
        label = (head if known else name).replace("_", " ")
        words.append(f"{label} {value:.3g}{'' if unit in ('', '°') else SPACE}{unit}")
    return ", ".join(words)


def verdict(scene: Scene) -> str:
    """Return one line: "1 cabinet, 4 drawers that open, surest 0.97, least sure 0.81."."""
    if not scene.assets:
        return "No furniture was found."
    words = [_counted(Counter(asset.family for asset in scene.assets))]
    joints = list(scene.joints())
    if not joints:
        return f"{words[0]}, nothing that opens."
    roles = Counter(asset.part(joint.child).role for asset, joint in joints)
    sure = [joint.belief.best.p for _, joint in joints]
    words.append(f"{_counted(roles)} that open{'s' * (len(joints) == 1)}")
    words.append(
        f"surest {max(sure):.2f}, least sure {min(sure):.2f}" if len(sure) > 1 else f"sure {sure[0]:.2f}"
    )
    return ", ".join(words) + "."


def sentence(text: str) -> str:
    """Return a text with a capital letter, unless it begins with an id or a number."""
    return text[:1].upper() + text[1:] if text.split(" ")[0].rstrip(":,").isalpha() else text


def plural(count: int, word: str) -> str:
    """Return "1 door", "2 boxes", "3 sliding doors"."""
    word = word.replace("_", " ")
    if count == 1:
        return f"1 {word}"
    if word.endswith("f"):
        return f"{count} {word[:-1]}ves"
    return f"{count} {word}{'es' if word.endswith(('x', 's')) else 's'}"


def length(value: float) -> str:
    """Return a length in m, or in mm below 1 m."""
    return f"{value:.2f}{SPACE}m" if abs(value) >= 1 else f"{value * 1000:.0f}{SPACE}mm"


def millimetres(edges: Iterable[float]) -> str:
    """Return (0.4, 0.5) as "400 x 500 mm", with a true multiplication sign."""
    return " \N{MULTIPLICATION SIGN} ".join(f"{1000 * edge:.0f}" for edge in edges) + " mm"


def opening(joint: Joint, value: float) -> str:
    """Return a joint's position or range in its own unit: degrees for a hinge, a length for a slide."""
    return f"{degrees(value):.0f}°" if joint.kind is JointKind.HINGE else length(value)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(
        plural(n, word) for word, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
