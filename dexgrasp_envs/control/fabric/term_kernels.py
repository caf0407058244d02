# mypy: disable-error-code="no-untyped-def"
# numba infers the types of its kernels; the docstrings tell them.
"""The terms of the fabric of one robot, pulled back to its joints: compiled kernels.

A term lives in a coordinate x(q) with slope J and energy G(x) x'^2 / 2, whose Euler-Lagrange equation, pulled back,
adds J^T G J to the mass matrix and J^T (G J'q' + G_x x'^2 / 2) to the curvature force; a potential psi(x) and a damping
b add the force -J^T (psi_x + b x'). The linearly implicit step of length dt also wants dt b + dt^2 psi_xx beside G.
"""

import numpy as np

from ...compiled import jit
from .motion_kernels import locate, move, slope

NEAREST_ANGLE, NEAREST = 0.005, 0.0005
"""Barriers do not grow below these distances, rad and m."""


@jit
def pull_back(row, low, high, mass, implicit, force, speed, matrix, total, momentum):
    """Add a coordinate with slope row [J] (nonzero in low..high-1) to the system.

    mass to the momentum (its speed times mass), mass + implicit to the matrix [J, J] (lower part), its force to total.
    """
    weight, push = mass + implicit, mass * speed
    for a in range(low, high):
        value = row[a]
        if value != 0.0:
            total[a] += value * force
            momentum[a] += value * push
            scaled = weight * value
            for b in range(low, a + 1):
                matrix[a, b] += scaled * row[b]


@jit
def barrier(x, speed, reach, nearest, mass_scale, gain):
    """Mass, half its slope times speed^2, force, stiffness and potential of a barrier at 0 that begins at `reach`.

    With s = 1/x - 1/reach: psi = gain s^2 / 2, and G = mass_scale s^2 while approaching, 0 while leaving, which makes
    a Finsler energy.
    """
    x = max(x, nearest)
    steep = 1.0 / x - 1.0 / reach
    square = 1.0 / (x * x)
    mass = mass_scale * steep * steep if speed < 0.0 else 0.0
    curvature = -mass_scale * steep * square * speed * speed if speed < 0.0 else 0.0
    stiffness = gain * square * (square + 2.0 * steep / x)
    return mass, curvature, gain * steep * square, stiffness, 0.5 * gain * steep * steep


@jit
def add_palm(chain, terms, target, dt, turn, motion, matrix, total, momentum):
    """Attractor of the palm points to target [7, 3]: psi = k r^2 (sqrt(1 + e^2 / r^2) - 1), e a point's distance."""
    point, scratch = np.empty((3, 3)), np.empty((2, 3))
    direction, row = np.zeros(3), np.zeros(len(total))
    reach_square = terms.palm_reach * terms.palm_reach
    potential = 0.0
    for i in range(len(target)):
        locate(chain.palm, chain.points[i], turn, motion, point, scratch)
        square = 0.0
        for k in range(3):
            square += (point[0, k] - target[i, k]) ** 2
        root = np.sqrt(1.0 + square / reach_square)
        potential += terms.palm_stiffness * reach_square * (root - 1.0)
        stiffness = terms.palm_stiffness / root
        implicit = dt * terms.palm_damping + dt * dt * stiffness
        for k in range(3):
            direction[:] = 0.0
            direction[k] = 1.0
            row[: chain.arm] = 0.0
            slope(chain.parent, chain.palm, point[0], direction, motion, 1.0, row)
            speed = point[1, k]
            force = -stiffness * (point[0, k] - target[i, k]) - (terms.palm_damping + dt * stiffness) * speed
            force -= terms.palm_mass * point[2, k]
            pull_back(row, 0, chain.arm, terms.palm_mass, implicit, force, speed, matrix, total, momentum)
    return potential


@jit
def add_joints(chain, terms, hand_target, dt, pos, vel, matrix, total, momentum):
    """Inertia and damping of the joints, the hand's attractors to hand_target [H], and barriers at the limits."""
    potential = 0.0
    arm = chain.arm
    for j in range(arm):
        matrix[j, j] += terms.arm_mass + dt * terms.arm_damping
        total[j] -= terms.arm_damping * vel[j]
        momentum[j] += terms.arm_mass * vel[j]
    for a in range(len(hand_target)):
        j = arm + a
        pull = 0.0
        for b in range(len(hand_target)):
            k = arm + b
            error = pos[k] - hand_target[b]
            stiffness, damping = terms.hand_stiffness[a, b], terms.hand_damping[a, b]
            pull += stiffness * error
            total[j] -= (damping + dt * stiffness) * vel[k]
            if b <= a:
                matrix[j, k] += dt * damping + dt * dt * stiffness
        total[j] -= pull
        potential += 0.5 * pull * (pos[j] - hand_target[a])
        matrix[j, j] += terms.hand_mass
        momentum[j] += terms.hand_mass * vel[j]
    for j in range(len(pos)):
        for side in (-1.0, 1.0):
            x = pos[j] - chain.low[j] if side > 0.0 else chain.high[j] - pos[j]
            if x < terms.limit_range:
                speed = side * vel[j]
                mass, curvature, push, stiffness, height = barrier(
                    x, speed, terms.limit_range, NEAREST_ANGLE, terms.limit_mass[j], terms.limit_gain[j]
                )
                total[j] += side * (push - curvature - dt * stiffness * speed)
                matrix[j, j] += mass + dt * dt * stiffness
                momentum[j] += mass * vel[j]
                potential += height
    return potential


@jit
def add_barrier(terms, x, speed, bias, row, low, high, dt, matrix, total, momentum):
    """A barrier between bodies at distance x that changes with `speed`, accelerated by `bias` if the joints are not."""
    mass, curvature, push, stiffness, height = barrier(
        x, speed, terms.body_range, NEAREST, terms.body_mass, terms.body_gain
    )
    allowed = np.sqrt(2.0 * terms.body_braking * max(x, 0.0))
    damping = terms.body_damping * (1.0 + allowed / speed) if -speed > allowed else 0.0
    force = push - curvature - mass * bias - (damping + dt * stiffness) * speed
    pull_back(row, low, high, mass, dt * damping + dt * dt * stiffness, force, speed, matrix, total, momentum)
    return height


@jit
def add_bodies(chain, terms, dt, turn, motion, matrix, total, momentum):
    """Barriers of the spheres against the table's plane, and between those of `chain.pairs`."""
    potential = 0.0
    joints = len(total)
    here, there, scratch = np.empty((3, 3)), np.empty((3, 3)), np.empty((2, 3))
    row, direction = np.zeros(joints), np.zeros(3)
    for i in range(len(chain.sphere_link)):
        link = chain.sphere_link[i]
        if motion[link, 0, 2] - chain.link_reach[link] - chain.table >= terms.body_range:
            continue
        locate(link, chain.sphere_center[i], turn, motion, here, scratch)
        x = here[0, 2] - chain.sphere_radius[i] - chain.table
        if x < terms.body_range:
            row[:] = 0.0
            direction[0], direction[1], direction[2] = 0.0, 0.0, 1.0
            slope(chain.parent, link, here[0], direction, motion, 1.0, row)
            potential += add_barrier(terms, x, here[1, 2], here[2, 2], row, 0, link + 1, dt, matrix, total, momentum)
    for q in range(len(chain.pairs)):
        one, other = chain.pairs[q, 0], chain.pairs[q, 1]
        locate(chain.sphere_link[one], chain.sphere_center[one], turn, motion, here, scratch)
        locate(chain.sphere_link[other], chain.sphere_center[other], turn, motion, there, scratch)
        square = 0.0
        for k in range(3):
            direction[k] = here[0, k] - there[0, k]
            square += direction[k] * direction[k]
        apart = chain.sphere_radius[one] + chain.sphere_radius[other]
        if square < (apart + terms.body_range) ** 2:
            distance = np.sqrt(max(square, 1e-12))
            speed, relative, bias = 0.0, 0.0, 0.0
            for k in range(3):
                direction[k] /= distance
                change = here[1, k] - there[1, k]
                relative += change * change
                speed += direction[k] * change
                bias += direction[k] * (here[2, k] - there[2, k])
            bias += (relative - speed * speed) / distance
            row[:] = 0.0
            slope(chain.parent, chain.sphere_link[one], here[0], direction, motion, 1.0, row)
            slope(chain.parent, chain.sphere_link[other], there[0], direction, motion, -1.0, row)
            # The arm carries both: its entries cancel but for rounding.
            potential += add_barrier(
                terms, distance - apart, speed, bias, row, chain.arm, joints, dt, matrix, total, momentum
            )
    return potential


@jit
def add_all(chain, terms, palm_target, hand_target, dt, pos, vel, matrix, total, momentum):
    """Clear matrix [J, J], total [J] and momentum [J] and add every term; returns the potential energy."""
    matrix[:] = 0.0
    total[:] = 0.0
    momentum[:] = 0.0
    joints = len(pos)
    turn, motion = np.empty((joints, 3, 3)), np.empty((joints, 6, 3))
    move(chain, pos, vel, turn, motion)
    potential = add_joints(chain, terms, hand_target, dt, pos, vel, matrix, total, momentum)
    potential += add_palm(chain, terms, palm_target, dt, turn, motion, matrix, total, momentum)
    potential += add_bodies(chain, terms, dt, turn, motion, matrix, total, momentum)
    add_homing(chain, terms, pos, vel, total, momentum)
    return potential


@jit
def add_homing(chain, terms, pos, vel, total, momentum):
    """The geometry q'' = -homing |q'|^2 (q - home) of the arm, energised: less what would change the energy.

    With p = M q' its force g becomes g - p (q' . g) / (q' . p).
    """
    square, work, twice_energy = 0.0, 0.0, 0.0
    for j in range(chain.arm):
        square += vel[j] * vel[j]
    for j in range(len(vel)):
        twice_energy += vel[j] * momentum[j]
    if twice_energy > 1e-12:
        for j in range(chain.arm):
            push = -terms.homing * square * (pos[j] - chain.home[j])
            total[j] += push
            work += vel[j] * push
        share = work / twice_energy
        for j in range(len(vel)):
            total[j] -= share * momentum[j]
