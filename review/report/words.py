"""Numbers and findings in words."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from math import degrees

from pocketworld.findings import Finding, Severity, worst_first
from pocketworld.scene import Joint, JointKind

MEANING = {
    Severity.LOST: "something one would expect is not there",
    Severity.DEGRADED: "it works, but worse than it could",
    Severity.NOTE: "good to know",
}
# Units as they end the names of a finding's numbers, and how they are written.
UNITS = {unit: unit for unit in ("m", "mm", "px", "s", "rad", "kg")} | {"m2": "m²", "deg": "°", "mb": "MB"}
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
    return tuple(
        _group(severity, list(some))
        for severity, some in groupby(worst_first(findings), lambda f: f.severity)
    )


def _group(severity: Severity, findings: list[Finding]) -> Group:
    codes: dict[tuple[str, str], list[Said]] = {}
    for f in findings:
        said = Said(f.subject, sentence(f.text), amounts(f.numbers))
        codes.setdefault((f.stage, f.code), []).append(said)
    listed = tuple((stage, code, tuple(alike)) for (stage, code), alike in codes.items())
    return Group(severity, MEANING[severity], len(findings), listed)


def amounts(numbers: Mapping[str, float]) -> str:
    """Return {"moved_m": 0.01, "frames": 3} as "moved 0.01 m, frames 3": the unit ends the name."""
    words = []
    for name, value in numbers.items():
        head, _, tail = name.rpartition("_")
        if not head or tail not in UNITS:
            head, tail = name, ""
        unit = UNITS.get(tail, "")
        words.append(f"{head.replace('_', ' ')} {number(value)}{SPACE * (unit not in ('', '°'))}{unit}")
    return ", ".join(words)


def number(value: float) -> str:
    """Return a whole number as it is, any other to three digits."""
    return f"{value:.0f}" if float(value).is_integer() or abs(value) >= 100 else f"{value:.3g}"


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


def probability(p: float) -> str:
    """Return a probability to two digits; 0 and 1 are said only of what is certain."""
    if 0 < p < 0.005:
        return "<0.01"
    return ">0.99" if 0.995 <= p < 1 else f"{p:.2f}"


def length(value: float) -> str:
    """Return a length in m, or in mm below 1 m."""
    return f"{value:.2f}{SPACE}m" if abs(value) >= 1 else f"{value * 1000:.0f}{SPACE}mm"


def millimetres(edges: Iterable[float]) -> str:
    """Return (0.4, 0.5) as "400 x 500 mm", with a true multiplication sign."""
    return " \N{MULTIPLICATION SIGN} ".join(f"{1000 * edge:.0f}" for edge in edges) + " mm"


def opening(joint: Joint, value: float) -> str:
    """Return a joint's position or range in its own unit: degrees for a hinge, a length for a slide."""
    return f"{degrees(value):.0f}°" if joint.kind is JointKind.HINGE else length(value)


def counted(counts: Counter[str]) -> str:
    """Return {"drawer": 3, "door": 1} as "3 drawers, 1 door", the commonest first."""
    return ", ".join(plural(n, word) for word, n in counts.most_common())
