"""The meshes of all worlds in one list, sorted by content: each world's geoms say which of them they are."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

import mujoco
import numpy as np
from numpy.typing import NDArray

from pocketworld.sim.models.mjcf import Document
from pocketworld.sim.warp.superset import Element, mesh_elements


@dataclass(slots=True)
class Pool:
    """Meshes by name, which is their content for scenes' own hulls; others (a robot's) are in every world."""

    meshes: dict[str, str] = field(default_factory=dict)

    def add(self, root: Element) -> None:
        """Take up the hulls that a world's MJCF names."""
        for mesh in root.findall("asset/mesh"):
            vertices = mesh.get("vertex")
            if vertices is not None:
                self.meshes.setdefault(str(mesh.get("name")), vertices)

    def base(self, root: Element, files: dict[str, bytes]) -> mujoco.MjModel:
        """Return the model of a world whose MJCF (`superset.padded`) is given, with the meshes of all."""
        with_all = ElementTree.fromstring(ElementTree.tostring(root))  # noqa: S314  (our own text)
        asset = with_all.find("asset")
        assert asset is not None
        for mesh in asset.findall("mesh"):
            if mesh.get("vertex") is not None:
                asset.remove(mesh)
        asset.extend(mesh_elements(self.meshes))
        return text_of(with_all, files).compile()


def text_of(root: Element, files: dict[str, bytes]) -> Document:
    """Return MJCF that can be compiled."""
    return Document(ElementTree.tostring(root, encoding="unicode"), files)


def mesh_names(model: mujoco.MjModel) -> tuple[str, ...]:
    """Return a model's meshes, in its order."""
    return tuple(model.mesh(i).name for i in range(model.nmesh))


def places_of(names: Sequence[str], place: Mapping[str, int]) -> NDArray[np.int32]:
    """Return where in the pool a world's own meshes are (k + 1,); the last, -1, is of geoms without one.

    place   where in the pool each mesh is, by its name
    """
    return np.array([*(place[name] for name in names), -1], np.int32)
