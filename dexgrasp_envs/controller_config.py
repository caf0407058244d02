"""Configurations of the controllers besides the default one; part of `config.EnvConfig`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class JointDeltaConfig:
    """From actions to joint targets: every joint by itself, relative to where it is measured.

    A goal that stays s ahead of a joint moves it at w s / 2 through the governor of bandwidth w, whatever the rate of
    actions: the defaults give the arm 0.75 and the hand 3 rad/s, as 0.1 rad gives with the servos of dexsuite.
    """

    arm_step: float = 0.15
    """Distance of the goal from the measured joint for an action of 1, arm, rad."""
    hand_step: float = 0.3
    """Distance of the goal from the measured joint for an action of 1, hand, rad."""


@dataclass(frozen=True)
class FabricConfig:
    """The geometric fabric: energies, geometries and potentials of its terms, damping, limits.

    Targets, speed limits and leads are those of `ControlConfig`. Masses are those of the energies: only their ratios
    matter, with the mass of the palm as 1 kg.
    """

    targets: str = "relative"
    """One of `config.TARGETS`: actions move the palm's target, or place it in its box and rotation limits."""
    palm_bandwidth: float = 10.0
    """Natural frequency of the palm's attractor, critically damped, rad/s."""
    palm_reach: float = 0.12
    """Beyond this error of a palm point its pull hardly grows, m; bounds the speed by bandwidth * reach / 2."""
    palm_points: float = 0.20
    """Distance of the palm's six outer points from the grasp centre, m; decides the weight of its orientation."""
    synergy_bandwidth: float = 20.0
    """Natural frequency of the attractor of the hand's synergy coordinates, critically damped, rad/s."""
    posture_bandwidth: float = 15.0
    """The same for what the synergies leave free: towards nominal, or towards the limits that cut the posture off."""
    arm_mass: float = 0.02
    """Inertia of each arm joint besides the palm's, kg m^2; more slows the palm near singular postures."""
    arm_damping: float = 5.0
    """Damping rate of that inertia, 1/s."""
    hand_mass: float = 0.01
    """Inertia of each hand joint, kg m^2."""
    homing: float = 4.0
    """Strength of the geometry that bends the arm's path towards its home posture, 1/rad^2; it does no work."""
    limit_range: float = 0.2
    """Distance from a joint limit at which its barrier begins, rad."""
    limit_mass: float = 0.01
    """Scale of the barrier's energy, rad^2, times 0.05 kg m^2 for the arm and `hand_mass` for the hand."""
    limit_gain: float = 3e-4
    """Scale of the barrier's potential, rad^4/s^2, times the same."""
    body_range: float = 0.15
    """Distance of hand and arm from the table, and of the thumb from the fingers, at which barriers begin, m."""
    body_mass: float = 7e-4
    """Scale of the barriers' energy, kg m^2."""
    body_gain: float = 1.7e-6
    """Scale of the barriers' potential, J m^2."""
    body_braking: float = 1.0
    """What approaches a barrier faster than this deceleration could stop is damped, m/s^2."""
    body_damping: float = 300.0
    """Damping of that excess speed, N s/m."""
    arm_max_acceleration: float = 20.0
    """Acceleration limit of each commanded arm joint, rad/s^2."""
    hand_max_acceleration: float = 150.0
    """Acceleration limit of each commanded hand joint, rad/s^2."""
    arm_max_jerk: float = 1000.0
    """Jerk limit of each commanded arm joint, rad/s^3."""
    hand_max_jerk: float = 15000.0
    """Jerk limit of each commanded hand joint, rad/s^3."""
