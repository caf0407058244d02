"""Compile the neutral scene into a MuJoCo model."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import mujoco

from ...config import PhysicsConfig
from ...objects import GraspObject
from ...robots.robot import Robot
from ...scene.bodies import COLLIDES, Body, CollisionGroup, Geom, Inertial, Shape
from ...scene.scene import OBJECT, Scene

GEOM_TYPES = {
    Shape.BOX: mujoco.mjtGeom.mjGEOM_BOX,
    Shape.CYLINDER: mujoco.mjtGeom.mjGEOM_CYLINDER,
    Shape.CAPSULE: mujoco.mjtGeom.mjGEOM_CAPSULE,
    Shape.SPHERE: mujoco.mjtGeom.mjGEOM_SPHERE,
    Shape.MESH: mujoco.mjtGeom.mjGEOM_MESH,
}
"""MuJoCo's name of each shape."""
_BITS: dict[CollisionGroup, int] = {
    group: 1 << i for i, group in enumerate(g for g in CollisionGroup if g is not CollisionGroup.NONE)
}
_FOUND_AND_FORCE = sum(
    1 << int(field) for field in (mujoco.mjtConDataField.mjCONDATA_FOUND, mujoco.mjtConDataField.mjCONDATA_FORCE)
)
_NET_FORCE = 3
_ASIDE = 2e-6


@dataclass(frozen=True)
class ObjectLayout:
    """What the models of a set of objects must share, so that they differ only in numbers."""

    geoms: int
    """Geoms of the object's body; those that an object does not need collide with nothing."""
    meshes: tuple[GraspObject, ...]
    """Objects whose geoms are meshes, in order."""
    offset: bool
    """Whether mass is centred or principal axes lie beside the body's frame; the inertia matrix is denser then."""

    @classmethod
    def of(cls, objects: Iterable[GraspObject]) -> Self:
        """The least that all of them need."""
        listed = tuple(objects)
        offset = any(any(obj.inertial.pos) or any(obj.inertial.inertia[3:]) for obj in listed)
        return cls(max(obj.colliders for obj in listed), tuple(obj for obj in listed if obj.mesh is not None), offset)


def compile_model(
    scene: Scene,
    robot: Robot,
    grasp_object: GraspObject,
    physics: PhysicsConfig,
    layout: ObjectLayout | None = None,
    whole: bool = True,
) -> mujoco.MjModel:
    """The model with `grasp_object` in the object's slot; `layout` None is the object's own.

    Only a `whole` model holds the meshes of all objects; others hold those of their object, and can only be read.

    Models of one scene and layout with different objects have the same sizes and differ only in numbers, and in the
    shape of the tree over the object's geoms. The order of joints,
    actuators and robot bodies is the robot's. Sensors: for each finger, then the palm, then the table, the number of
    contacts with the object and their net force on the object in the world frame, 4 numbers each.
    """
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    # The finger inertias of the URDF violate the triangle inequality slightly.
    spec.compiler.balanceinertia = True
    _set_options(spec, physics)
    _add_visuals(spec, scene)
    frames: dict[str | None, mujoco.MjsBody] = {None: spec.worldbody}
    _add_geom(spec.worldbody, scene.floor, physics)
    for body in scene.fixtures + scene.robot:
        frames[body.name] = _add_body(frames[body.parent], body, physics)
    for hinge in robot.joints:
        actuator = spec.add_actuator(name=hinge.name, target=hinge.name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        actuator.set_to_position(kp=hinge.stiffness, kv=hinge.servo_damping)
        actuator.forcelimited = mujoco.mjtLimited.mjLIMITED_TRUE
        actuator.forcerange = (-hinge.max_effort, hinge.max_effort)
    slot = spec.worldbody.add_body(name=OBJECT, pos=(0.56, 0.0, 0.5))
    slot.add_joint(name=OBJECT, type=mujoco.mjtJoint.mjJNT_FREE, damping=physics.object_damping)
    layout = layout or ObjectLayout.of((grasp_object,))
    _set_inertial(slot, _beside(grasp_object.inertial) if layout.offset else grasp_object.inertial)
    for obj in layout.meshes if whole else (grasp_object,):
        _add_meshes(spec, obj)
    if grasp_object.mesh is None:
        for geom in grasp_object.geoms:
            _add_geom(slot, geom, physics)
    else:
        for name in _mesh_names(grasp_object):
            _add_geom(slot, grasp_object.geoms[0], physics, name)
    unused = layout.geoms - grasp_object.colliders
    for _ in range(unused):
        _add_geom(slot, _unused(grasp_object), physics)
    for name in robot.finger_roots:
        _add_contact_sensor(spec, name, mujoco.mjtObj.mjOBJ_XBODY)
    _add_contact_sensor(spec, robot.palm.body, mujoco.mjtObj.mjOBJ_BODY)
    for fixture in scene.fixtures:
        _add_contact_sensor(spec, fixture.name, mujoco.mjtObj.mjOBJ_BODY)
    model = spec.compile()
    body = model.body(OBJECT)
    first, end = body.geomadr[0], body.geomadr[0] + body.geomnum[0]
    if grasp_object.mesh is not None and not whole:
        before = layout.meshes[: layout.meshes.index(grasp_object)]
        model.geom_dataid[first : end - unused] += sum(obj.colliders for obj in before)
    if unused:
        # Not earlier: the compiler keeps geoms that collide with nothing out of the tree, whose size must not change.
        model.geom_contype[end - unused : end] = model.geom_conaffinity[end - unused : end] = 0
    return model


def _beside(inertial: Inertial) -> Inertial:
    """The same, but two micrometres aside where the compiler would leave zeros out of the inertia matrix."""
    x, y, z = inertial.pos
    return inertial if max(abs(x), abs(y), abs(z)) >= _ASIDE else dataclasses.replace(inertial, pos=(x, y, z + _ASIDE))


def _unused(grasp_object: GraspObject) -> Geom:
    """A geom that fills a slot: invisible, inside the object, and so within all its bounds."""
    mesh, first = grasp_object.mesh, grasp_object.geoms[0]
    x, y, z = first.pos if mesh is None else mesh.pieces[0].mean(0).tolist()
    return Geom(Shape.SPHERE, (1e-4,), (x, y, z), rgba=(0.0, 0.0, 0.0, 0.0), collision=first.collision)


def _mesh_names(grasp_object: GraspObject) -> list[str]:
    return [f"{grasp_object.name}/{i}" for i in range(grasp_object.colliders)]


def _add_meshes(spec: mujoco.MjSpec, grasp_object: GraspObject) -> None:
    if grasp_object.mesh is not None:
        for name, points in zip(_mesh_names(grasp_object), grasp_object.mesh.pieces, strict=True):
            # Without faces the compiler takes the convex hull.
            spec.add_mesh(name=name, uservert=points.astype("float32").ravel())


def _set_options(spec: mujoco.MjSpec, physics: PhysicsConfig) -> None:
    spec.option.timestep = physics.timestep
    # The robot compensates its own gravity. MuJoCo's per-body compensation costs 40 % of a step; without gravity the
    # back end applies the object's weight instead, which is the same physics.
    spec.option.gravity = (0.0, 0.0, 0.0)
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.solver = mujoco.mjtSolver.mjSOL_NEWTON
    spec.option.cone = mujoco.mjtCone.mjCONE_PYRAMIDAL
    spec.option.iterations = physics.iterations
    spec.option.ls_iterations = physics.ls_iterations
    spec.option.tolerance = physics.tolerance
    # A diverged simulation must be seen by us, not reset silently in the middle of a step.
    spec.option.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET


def _add_visuals(spec: mujoco.MjSpec, scene: Scene) -> None:
    spec.visual.headlight.ambient = (0.35, 0.35, 0.35)
    spec.visual.headlight.diffuse = (0.35, 0.35, 0.35)
    spec.visual.map.znear = 0.02
    spec.visual.global_.fovy = scene.camera.fovy
    spec.visual.global_.offwidth = 1920
    spec.visual.global_.offheight = 1440
    spec.worldbody.add_light(pos=(0.2, -0.6, 2.5), dir=(0.15, 0.25, -1.0), diffuse=(0.5, 0.5, 0.5), castshadow=True)
    sky = spec.add_texture(
        name="sky", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT
    )
    sky.rgb1, sky.rgb2, sky.width, sky.height = (0.93, 0.94, 0.96), (0.70, 0.74, 0.80), 256, 1536
    goal = spec.worldbody.add_site(name="goal", pos=scene.goal, size=(scene.goal_radius, 0, 0))
    goal.rgba = (0.25, 0.75, 0.35, 0.15)


def _add_body(parent: mujoco.MjsBody, body: Body, physics: PhysicsConfig) -> mujoco.MjsBody:
    added = parent.add_body(name=body.name, pos=body.pos, quat=body.quat)
    if body.joint is not None:
        added.add_joint(
            name=body.joint.name,
            type=mujoco.mjtJoint.mjJNT_HINGE,
            axis=body.joint.axis,
            range=body.joint.limits,
            limited=mujoco.mjtLimited.mjLIMITED_TRUE,
            damping=body.joint.damping,
            armature=body.joint.armature,
        )
    if body.inertial is not None:
        _set_inertial(added, body.inertial)
    for geom in body.geoms:
        _add_geom(added, geom, physics)
    return added


def _set_inertial(body: mujoco.MjsBody, inertial: Inertial) -> None:
    body.explicitinertial = True
    body.mass = inertial.mass
    body.ipos = inertial.pos
    if any(inertial.inertia[3:]):
        body.fullinertia = inertial.inertia
    else:
        # Kept in body axes: a diagonalisation may permute them, and the models of all objects must have one layout.
        body.inertia = inertial.inertia[:3]


def _add_geom(body: mujoco.MjsBody, geom: Geom, physics: PhysicsConfig, mesh: str | None = None) -> None:
    partners = [other for other in _BITS if frozenset((geom.collision, other)) in COLLIDES]
    body.add_geom(
        type=GEOM_TYPES[geom.shape],
        **({} if mesh is None else {"meshname": mesh}),
        size=(*geom.size, 0.0, 0.0)[:3],
        pos=geom.pos,
        quat=geom.quat,
        rgba=geom.rgba,
        contype=_BITS.get(geom.collision, 0),
        conaffinity=sum(_BITS[other] for other in partners),
        condim=3,
        friction=(physics.friction, 0.005, 0.0001),
        solimp=(*physics.contact_impedance, 0.001, 0.5, 2.0),
    )


def _add_contact_sensor(spec: mujoco.MjSpec, body: str, kind: mujoco.mjtObj) -> None:
    spec.add_sensor(
        name=f"contact_{body}",
        type=mujoco.mjtSensor.mjSENS_CONTACT,
        objtype=kind,
        objname=body,
        reftype=mujoco.mjtObj.mjOBJ_BODY,
        refname=OBJECT,
        intprm=(_FOUND_AND_FORCE, _NET_FORCE, 1),
    )
