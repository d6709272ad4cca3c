"""Blender as a module: the scene, models, the camera and renders of a part of the frame."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import bpy
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Matrix, Vector
from numpy.typing import NDArray
from PIL import Image
from textures import Rgb, texture

Box = tuple[int, int, int, int]
SAMPLES = 8
TEXTURES = Path(tempfile.gettempdir()) / "suite-textures"


def start(hdri: str, strength: float, size: tuple[int, int], threads: int = 2) -> None:
    """Empty the scene and set Cycles to the cheapest settings that are good enough."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.device, cycles.samples, cycles.seed = "CPU", SAMPLES, 1
    cycles.use_adaptive_sampling = False
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    cycles.denoising_quality, cycles.denoising_prefilter = "BALANCED", "FAST"
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 2, 2, 1
    cycles.transmission_bounces, cycles.transparent_max_bounces = 2, 8
    cycles.caustics_reflective = cycles.caustics_refractive = False
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.use_persistent_data = True
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.image_settings.file_format = "PNG"
    scene.view_settings.view_transform, scene.view_settings.look = "Standard", "None"
    world = bpy.data.worlds.new("world")
    scene.world = world
    world.use_nodes = True
    tree = world.node_tree
    sky = tree.nodes.new("ShaderNodeTexEnvironment")
    folder = Path(bpy.utils.system_resource("DATAFILES")) / "studiolights/world"
    sky.image = bpy.data.images.load(str(folder / hdri))
    tree.nodes["Background"].inputs[1].default_value = strength
    tree.links.new(sky.outputs[0], tree.nodes["Background"].inputs[0])


def sun(azimuth: float, elevation: float, energy: float) -> None:
    """A soft sun. The angles, in degrees, give its direction as seen from the room's front."""
    light = bpy.data.lights.new("sun", "SUN")
    light.energy, light.angle = energy, 0.2
    lamp = bpy.data.objects.new("sun", light)
    bpy.context.scene.collection.objects.link(lamp)
    lamp.rotation_euler = sun_ray(azimuth, elevation).to_track_quat("-Z", "Y").to_euler()


def sun_ray(azimuth: float, elevation: float) -> Vector:
    """The direction in which the light travels."""
    turn, rise = math.radians(azimuth), math.radians(elevation)
    flat = math.cos(rise)
    return Vector((-math.sin(turn) * flat, math.cos(turn) * flat, -math.sin(rise)))


def look(place: tuple[float, float, float], at: tuple[float, float, float], lens: float) -> None:
    """Place the camera."""
    scene = bpy.context.scene
    if scene.camera is None:
        scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        scene.collection.objects.link(scene.camera)
    scene.camera.location = place
    scene.camera.data.lens = lens
    scene.camera.rotation_euler = (Vector(at) - Vector(place)).to_track_quat("-Z", "Y").to_euler()
    bpy.context.view_layer.update()


def paint(rgb: Rgb, rough: float = 0.6, kind: str = "", scale: float = 1.0) -> bpy.types.Material:
    """A plain material, or one with a texture that repeats every `scale` units."""
    material = bpy.data.materials.new("paint")
    material.use_nodes = True
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    linear = [((value / 255 + 0.055) / 1.055) ** 2.4 for value in rgb]
    shader.inputs["Base Color"].default_value = (*linear, 1)
    shader.inputs["Roughness"].default_value = rough
    if kind:
        picture = tree.nodes.new("ShaderNodeTexImage")
        picture.image = bpy.data.images.load(str(texture(TEXTURES, kind, rgb)), check_existing=True)
        picture.projection = "BOX"
        where = tree.nodes.new("ShaderNodeTexCoord")
        mapping = tree.nodes.new("ShaderNodeMapping")
        mapping.inputs["Scale"].default_value = (1 / scale,) * 3
        tree.links.new(where.outputs["Object"], mapping.inputs["Vector"])
        tree.links.new(mapping.outputs[0], picture.inputs[0])
        tree.links.new(picture.outputs[0], shader.inputs["Base Color"])
    return material


def block(
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    material: bpy.types.Material,
    bevel: float = 0.0,
) -> bpy.types.Object:
    """An upright box between two corners."""
    corners = [(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1])
               for z in (low[2], high[2])]  # fmt: skip
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    mesh = bpy.data.meshes.new("block")
    mesh.from_pydata(corners, [], faces)
    mesh.materials.append(material)
    solid = bpy.data.objects.new("block", mesh)
    bpy.context.scene.collection.objects.link(solid)
    if bevel:
        edge = solid.modifiers.new("bevel", "BEVEL")
        edge.width, edge.segments = bevel, 2
    return solid


@dataclass
class PlacedModel:
    """A model in the scene: a root on the floor, a pivot for its pose, and its meshes."""

    root: bpy.types.Object
    pivot: bpy.types.Object
    meshes: list[bpy.types.Object]
    points: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))

    def hide(self, hidden: bool) -> None:
        for mesh in self.meshes:
            mesh.hide_render = hidden

    def remove(self) -> None:
        for item in [*self.meshes, self.pivot, self.root]:
            bpy.data.objects.remove(item, do_unlink=True)
        bpy.data.orphans_purge(do_recursive=True)

    def pose(self, turn: Matrix) -> None:
        """Turn the model and set it down on its lowest point."""
        turned = self.points @ np.asarray(turn.to_3x3()).T
        low, high = turned.min(0), turned.max(0)
        lift = Matrix.Translation(
            Vector((-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2]))
        )
        self.pivot.matrix_local = lift @ turn.to_4x4()
        bpy.context.view_layer.update()

    def world_points(self) -> NDArray[np.float64]:
        matrix = np.asarray(self.pivot.matrix_world)
        return np.asarray(self.points @ matrix[:3, :3].T + matrix[:3, 3])

    def frame_box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in fractions of the frame."""
        return frame_box(self.world_points())


def frame_box(points: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """The box of some points in the frame, as fractions."""
    scene = bpy.context.scene
    seen = [world_to_camera_view(scene, scene.camera, Vector(point)) for point in points]
    across, up = [p.x for p in seen], [p.y for p in seen]
    return min(across), 1 - max(up), max(across), 1 - min(up)


def load(model: Path, rotation: str | None) -> PlacedModel:
    """Import an OBJ model: upright, one unit large, standing on the origin."""
    before = set(bpy.data.objects)
    bpy.ops.wm.obj_import(filepath=str(model), forward_axis="Y", up_axis="Z")
    meshes = [o for o in bpy.data.objects if o not in before and o.type == "MESH"]
    turn = Matrix.Identity(4)
    if rotation:
        a = [float(number) for number in rotation.split()]
        turn = Matrix((a[0:3], a[3:6], a[6:9])).to_4x4()
    upright = Matrix.Rotation(math.pi / 2, 4, "X") @ turn
    clouds = []
    for mesh in meshes:
        raw = np.empty(len(mesh.data.vertices) * 3, dtype=np.float64)
        mesh.data.vertices.foreach_get("co", raw)
        matrix = np.asarray(upright @ mesh.matrix_world)
        cloud = raw.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]
        ends = [cloud[cloud[:, axis].argmin()] for axis in range(3)]
        ends += [cloud[cloud[:, axis].argmax()] for axis in range(3)]
        clouds += [cloud[:: max(1, len(cloud) // 400)], np.array(ends)]
    points = np.concatenate(clouds)
    low, high = points.min(0), points.max(0)
    size = float((high - low).max())
    centre = Vector(((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]))
    root = bpy.data.objects.new("root", None)
    pivot = bpy.data.objects.new("pivot", None)
    for empty in (root, pivot):
        bpy.context.scene.collection.objects.link(empty)
    pivot.parent = root
    settle = Matrix.Scale(1 / size, 4) @ Matrix.Translation(-centre) @ upright
    for mesh in meshes:
        own = mesh.matrix_world.copy()
        mesh.parent = pivot
        mesh.matrix_local = settle @ own
        _tame(mesh)
    bpy.context.view_layer.update()
    return PlacedModel(root, pivot, meshes, (points - np.asarray(centre)) / size)


def _tame(mesh: bpy.types.Object) -> None:
    """Make mirrors and chrome recognisable without long light paths."""
    for slot in mesh.material_slots:
        if not (slot.material and slot.material.use_nodes):
            continue
        shader = slot.material.node_tree.nodes.get("Principled BSDF")
        if shader is None:
            continue
        metal, rough = shader.inputs["Metallic"], shader.inputs["Roughness"]
        if not metal.is_linked:
            metal.default_value = min(metal.default_value, 0.4)
        if not rough.is_linked:
            rough.default_value = max(0.25, rough.default_value)


def put(
    thing: PlacedModel, place: tuple[float, float, float], yaw: float, room: tuple[float, float]
) -> None:
    """Place the model, scaled to fit a share (width, height) of the frame."""
    thing.root.location = place
    thing.root.rotation_euler = (0, 0, math.radians(yaw))
    thing.root.scale = (1, 1, 1)
    for _ in range(3):
        bpy.context.view_layer.update()
        left, top, right, bottom = thing.frame_box()
        factor = min(room[0] / (right - left), room[1] / (bottom - top))
        thing.root.scale = tuple(value * factor for value in thing.root.scale)
    bpy.context.view_layer.update()


def shadow_box(points: NDArray[np.float64], ray: Vector, floor: float, pad: float) -> Box:
    """Pixels that the points and their shadow on the floor can touch, with a margin."""
    direction = np.asarray(ray)
    lengths = (floor - points[:, 2]) / direction[2]
    shadow = points + lengths[:, None] * direction[None, :]
    left, top, right, bottom = frame_box(np.concatenate([points, shadow]))
    render = bpy.context.scene.render
    wide, high = render.resolution_x, render.resolution_y
    return (
        max(0, int((left - pad) * wide)),
        max(0, int((top - pad) * high)),
        min(wide, math.ceil((right + pad) * wide)),
        min(high, math.ceil((bottom + pad) * high)),
    )


def shoot(path: Path, box: Box | None = None) -> Image.Image:
    """Render the frame or a box of it."""
    render = bpy.context.scene.render
    render.use_border = render.use_crop_to_border = box is not None
    if box is not None:
        wide, high = render.resolution_x, render.resolution_y
        render.border_min_x, render.border_max_x = box[0] / wide, box[2] / wide
        render.border_min_y, render.border_max_y = 1 - box[3] / high, 1 - box[1] / high
    path.parent.mkdir(parents=True, exist_ok=True)
    render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    with Image.open(path, formats=("JPEG", "PNG", "WEBP")) as picture:
        return picture.copy()


def silhouette(path: Path, things: list[PlacedModel], box: Box | None) -> Image.Image:
    """The alpha channel of some things, rendered without anything in front of them."""
    scene = bpy.context.scene
    others = [o for o in scene.objects if o.type == "MESH" and not o.hide_render
              and not any(o in thing.meshes for thing in things)]  # fmt: skip
    for other in others:
        other.hide_render = True
    cycles = scene.cycles
    kept = cycles.samples, cycles.max_bounces
    cycles.samples, cycles.max_bounces, cycles.use_denoising = 8, 0, False
    scene.render.film_transparent = True
    scene.render.image_settings.color_mode = "RGBA"
    picture = shoot(path, box)
    scene.render.film_transparent = False
    cycles.samples, cycles.max_bounces = kept
    cycles.use_denoising = True
    for other in others:
        other.hide_render = False
    return picture.getchannel("A")
