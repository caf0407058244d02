"""What the rest of the package needs to know about a robot."""

from dataclasses import dataclass

from ..scene.bodies import Body, Hinge, Quat, Vec3


@dataclass(frozen=True)
class Frame:
    """A named frame fixed to a body."""

    body: str
    pos: Vec3
    """Origin in the body frame, m."""
    quat: Quat
    """Orientation in the body frame, (w, x, y, z)."""


@dataclass(frozen=True)
class Robot:
    """An arm with a hand: bodies in depth-first order, and the names and figures that control and task use."""

    bodies: tuple[Body, ...]
    """Parents before children; the order of the joints in it is the canonical joint order."""
    arm_joints: int
    """The first joints belong to the arm, the others to the hand."""
    palm: Frame
    """Palm frame: x along the palm's normal, z along the fingers, origin at the base of the middle finger."""
    grasp_center: Vec3
    """Control point between the closing fingers, in the palm frame, m."""
    fingers: tuple[str, ...]
    """Names of the fingers, the thumb last."""
    tips: tuple[Frame, ...]
    """Centre of each finger's tip pad, in the order of `fingers`."""
    finger_roots: tuple[str, ...]
    """First moving body of each finger; a finger touches what any body of that subtree touches."""
    home: tuple[float, ...]
    """Posture of the arm at the start of an episode, rad."""
    home_center: Vec3
    """Where the grasp centre is in that posture, m, world frame."""
    hand_nominal: tuple[float, ...]
    """Half-open posture of the hand, rad."""
    synergies: tuple[tuple[float, ...], ...]
    """One row of joint offsets per hand synergy, rad; the hand posture is nominal + action . synergies."""

    @property
    def joints(self) -> tuple[Hinge, ...]:
        """All joints in canonical order."""
        return tuple(body.joint for body in self.bodies if body.joint is not None)

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of all joints in canonical order."""
        return tuple(joint.name for joint in self.joints)

    @property
    def body_names(self) -> tuple[str, ...]:
        """Names of all bodies in canonical order."""
        return tuple(body.name for body in self.bodies)

    def chain(self, body: str) -> tuple[Body, ...]:
        """The bodies from the base to `body`, in that order."""
        by_name = {b.name: b for b in self.bodies}
        chain = [by_name[body]]
        while (parent := chain[0].parent) is not None:
            chain.insert(0, by_name[parent])
        return tuple(chain)
