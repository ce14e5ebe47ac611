"""A scene's MJCF brought into the form that all cousins share: the same bodies, joints and geoms in each.

MuJoCo Warp keeps sizes, poses, masses and meshes per world, but not which bodies, joints and geoms there are,
nor of what type. So each asset gets the slots that its mutations need, and what a cousin lacks is there
without effect: geoms whose margin keeps them from touching anything, joints on bodies of next to no mass.

How many slots: what DRAWS mutations by the twin's spec need, whoever is in the batch, so that batches of one
spec have one form; and what the rarer ones in a batch need beyond that. A bound that no mutation could exceed
was tried: it is three to five times as large (a pedestal of four drawers: 24 joints, 300 moving geoms; its
cousins have 6 and 80), and every world would pay for it in every step.

Furniture that is fixed does not meet other such furniture here: which parts are beside each other differs
from cousin to cousin, and MuJoCo Warp's list of pairs does not. That each front opens free of what stands
beside it is proved where a cousin is drawn; two that are open at once go through each other.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from xml.etree import ElementTree

from pocketworld.cousins.mutation import Streams, believed, mutated
from pocketworld.cousins.spec import Spec
from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families.protocol import Refusal
from pocketworld.scene import Asset, Base, Scene
from pocketworld.sim.models import mjcf
from pocketworld.sim.warp.slots import Pieces, Slots, flat, slots

Element = ElementTree.Element
DRAWS, SEED = 64, 0  # mutations of each asset that its slots are counted from, and their streams' seed
NEVER = "-10"  # m: margins add up, so that a geom with this one touches nothing within 10 m of overlap
# m: where absent geoms of what is fixed are besides. Warp's first test for a pair squares the sum of radii
# and margins, so that the margin alone passes it within 10 m; from here none does. Nothing that is fixed
# meets the floor: no turn of a joint can bring them below it. What is free could; it has the margin only.
PARKED = "0 0 1000"
SMALL = "0.01 0.01 0.01"  # m: half the sides of an absent box; any will do
SPARE = "0 0 0 0.02 0 0 0 0.02 0 0 0 0.02"  # m: the corners of an absent hull, a tetrahedron
# kg, kg m²: what absent parts weigh; their joints have armature instead. In a tree that is free to move 1 g
# would already be felt (3e-6 m after 500 steps), this is not (2e-12).
MASSLESS = {"mass": "1e-9", "pos": "0 0 0", "diaginertia": "1e-12 1e-12 1e-12"}
# Far from its stops, at which it would be one more constraint: the solver then ends elsewhere (1e-6 a step).
ABSENT = {"range": "-1 1", "damping": "1", "armature": "0.01", "frictionloss": "0"}
AXES = {"slide": "0 -1 0", "hinge": "0 0 1"}


@dataclass(frozen=True, slots=True)
class Superset:
    """The slots of each asset, by its id, in the scene's order; None: it is in every cousin as it is."""

    slots: Mapping[str, Slots | None]

    @classmethod
    def around(cls, scenes: Iterable[Scene]) -> "Superset":
        """Return room for just these scenes, of the same assets."""
        found: dict[str, Slots | None] = {}
        for scene in scenes:
            for asset in scene.assets:
                known, own = found.get(asset.id, Slots()), slots(asset) if flat(asset) else None
                found[asset.id] = known | own if known is not None and own is not None else None
        return cls(found)

    @classmethod
    def of(cls, twin: Scene, spec: Spec) -> "Superset":
        """Return room for what a spec commonly makes of a twin."""
        return cls({asset.id: _drawn(asset, spec) if flat(asset) else None for asset in twin.assets})

    def __or__(self, other: "Superset") -> "Superset":
        """Return room for the cousins of either."""
        both = {}
        for id, mine in self.slots.items():
            others = other.slots.get(id, Slots())
            both[id] = None if mine is None or others is None else mine | others
        return Superset({**other.slots, **both})


def _drawn(asset: Asset, spec: Spec) -> Slots:
    """Return room for an asset and DRAWS mutations of it."""
    room = slots(asset)
    if asset.family not in registry.names():
        return room
    spread = spec.spread(asset.family)
    for k in range(DRAWS):
        draw = Streams(SEED, k).of(asset.id, 0)
        made = mutated(asset, spread, draw, believed(asset, spread, draw))
        if not isinstance(made, Refusal):
            room |= slots(registry.family(asset.family).build(made.p, asset.id))
    return room


def padded(document: mjcf.Document, scene: Scene, superset: Superset) -> Element:
    """Return a scene's MJCF (with whatever robot is in it) in the superset's form.

    Raises PocketworldError, with the cousin's and asset's names, for what the superset has no room for.
    """
    root = ElementTree.fromstring(document.text)  # noqa: S314  (our own text)
    bodies = {body.get("name"): body for body in _found(root, "worldbody").findall("body")}
    _check_assets(scene, superset)
    for asset in scene.assets:
        body, room = bodies[mjcf.name_of(asset, asset.parts[0])], superset.slots[asset.id]
        if room is not None:
            if lack := room.lacking(slots(asset)):
                raise PocketworldError(
                    f"cousin {name_of(scene)}: {asset.id} has {lack}", "its spec must be the batch's own"
                )
            _fill(body, asset, room)
    _found(root, "default/default[@class='furniture']/geom").set("conaffinity", str(mjcf.THING | mjcf.HAND))
    ElementTree.SubElement(_found(root, "worldbody"), "camera", name="eye")  # put where a wrist is (sight.py)
    _contacts(root, scene, bodies)
    _key(root, scene, superset)
    _meshes(root)
    return root


def name_of(scene: Scene) -> str:
    """Return a cousin's id, else the scene's name."""
    return scene.provenance.get("cousin", scene.name)


def _check_assets(scene: Scene, superset: Superset) -> None:
    ids = [asset.id for asset in scene.assets]
    if ids != list(superset.slots):
        other = next((id for id in (*ids, *superset.slots) if (id in ids) != (id in superset.slots)), ids[0])
        raise PocketworldError(
            f"cousin {name_of(scene)}: {other} is not in all scenes", "one batch holds cousins of one twin"
        )


def _found(root: Element, path: str) -> Element:
    found = root.find(path)
    assert found is not None, path
    return found


def _fill(body: Element, asset: Asset, room: Slots) -> None:
    """Give an asset's root body all its slots, those that it uses first."""
    parts: dict[str, list[Element]] = {"slide": [], "hinge": [], "fixed": []}
    for part in body.findall("body"):
        joint = part.find("joint")
        parts["fixed" if joint is None else str(joint.get("type"))].append(part)
        body.remove(part)
    away = {} if asset.base is Base.FREE else {"pos": PARKED}
    _geoms(body, room.root, away)
    wanted = (("slide", room.slides, room.slide), ("hinge", room.hinges, room.hinge))
    for kind, count, pieces in (*wanted, ("fixed", room.fixed, room.panel)):
        absent = (_absent(asset, kind, i) for i in range(len(parts[kind]), count))
        for part in (*parts[kind], *absent):
            _geoms(part, pieces, away)
            body.append(part)


def _absent(asset: Asset, kind: str, i: int) -> Element:
    """Return a part that weighs nothing and meets nothing."""
    name = f"{asset.id}/absent {kind} {i}"
    part = ElementTree.Element("body", name=name)
    if kind != "fixed":
        part.set("gravcomp", "0" if asset.base is Base.FREE else "1")
        ElementTree.SubElement(part, "joint", ABSENT, name=name, type=kind, axis=AXES[kind])
        ElementTree.SubElement(part, "site", name=name, size="0.004", group="4")
    ElementTree.SubElement(part, "inertial", MASSLESS)
    return part


def _geoms(body: Element, room: Pieces, away: dict[str, str]) -> None:
    """Give a body as many boxes and hulls as there is room for, boxes first; absent ones are `away`."""
    geoms = body.findall("geom")
    for geom in geoms:
        body.remove(geom)
    boxes, hulls = ([g for g in geoms if g.get("type") == kind] for kind in ("box", "mesh"))
    absent = ElementTree.Element("geom", away, type="box", size=SMALL, margin=NEVER)
    body.extend([*boxes, *[absent] * (room.boxes - len(boxes))])
    absent = ElementTree.Element("geom", away, type="mesh", mesh="", margin=NEVER)
    body.extend([*hulls, *[absent] * (room.hulls - len(hulls))])
    body.set("simple", "false")  # else the mass matrix' form would follow from each cousin's inertia


def _contacts(root: Element, scene: Scene, bodies: Mapping[str | None, Element]) -> None:
    """Exclude the pairs of parts within each thing that is free; of furniture none meet."""
    contact = _found(root, "contact")
    contact[:] = []
    for asset in scene.assets:
        if asset.base is Base.FREE:
            body = bodies[mjcf.name_of(asset, asset.parts[0])]
            for one, other in combinations([str(b.get("name")) for b in body.iter("body")], 2):
                ElementTree.SubElement(contact, "exclude", body1=one, body2=other)


def _key(root: Element, scene: Scene, superset: Superset) -> None:
    """Write the keyframe "closed" for all slots; the robot's own numbers come last."""
    keys = _found(root, "keyframe")
    closed = _found(keys, "key[@name='closed']").get("qpos", "").split()
    robot = closed[len(mjcf.positions(scene, "closed")) :]
    out: list[str] = []
    for asset in scene.assets:
        room = superset.slots[asset.id]
        joints = sum(j.movable for j in asset.joints) if room is None else room.slides + room.hinges
        free = mjcf.row((*asset.pose.position, *asset.pose.wxyz)).split() if asset.base is Base.FREE else []
        out += [*free, *["0"] * joints]
    keys[:] = [ElementTree.Element("key", name="closed", qpos=" ".join([*out, *robot]))]


def _meshes(root: Element) -> None:
    """Name each mesh by its content, so that equal ones of many worlds are one."""
    asset, named = _found(root, "asset"), dict[str, str]()
    for mesh in asset.findall("mesh"):
        if mesh.get("vertex") is not None:
            named[str(mesh.get("name"))] = str(mesh.get("vertex"))
            asset.remove(mesh)
    named[""] = SPARE
    used: dict[str, str] = {}
    for geom in root.iter("geom"):
        if (vertices := named.get(str(geom.get("mesh")))) is not None:
            name = content(vertices)
            geom.set("mesh", name)
            used[name] = vertices
    asset.extend(mesh_elements(used))


def content(vertices: str) -> str:
    """Return the name of a mesh with these vertices."""
    return f"hull/{hashlib.sha256(vertices.encode()).hexdigest()[:24]}"


def mesh_elements(meshes: Mapping[str, str]) -> Sequence[Element]:
    """Return meshes as MJCF, by their names in order."""
    return [ElementTree.Element("mesh", name=name, vertex=meshes[name]) for name in sorted(meshes)]
