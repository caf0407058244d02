"""Checks of the packages that environments and baselines stand on: each does a little real work."""

import os
import time

from .check import Check, CheckFailed, Finding, Status

_FALL = """
<mujoco>
  <worldbody>
    <body>
      <freejoint/>
      <geom size="0.1"/>
    </body>
  </worldbody>
</mujoco>
"""

_PASSIVE_OPENMP = {"GOMP_SPINCOUNT": "0", "OMP_WAIT_POLICY": "passive"}
"""Without these, OpenMP threads that spin make torch many times slower beside a busy simulator."""


def _mujoco() -> Finding:
    import mujoco
    import mujoco.batch

    model = mujoco.MjModel.from_xml_string(_FALL)
    steps = 100
    started = time.perf_counter()
    batch = mujoco.batch.Batch(model, nsim=4, nthread=2)
    batch.step(nstep=steps)
    milliseconds = (time.perf_counter() - started) * 1e3
    fallen = batch.bind("qpos")[:, 2]
    # What semi-implicit Euler makes of a free fall, exactly.
    expected = model.opt.gravity[2] * model.opt.timestep**2 * steps * (steps + 1) / 2
    if not (abs(fallen - expected) < 1e-9).all():
        raise CheckFailed(f"a free fall ended at {fallen} m, not {expected:.4f} m")
    return Finding(Status.OK, f"{mujoco.__version__}; 4 simulations x {steps} steps in {milliseconds:.1f} ms")


def _numba() -> Finding:
    import numba
    import numpy as np

    @numba.njit(nogil=True)
    def total(values: np.ndarray) -> float:
        result = 0.0
        for value in values:
            result += value
        return result

    started = time.perf_counter()
    result = total(np.arange(5.0))
    seconds = time.perf_counter() - started
    if result != 10.0:
        raise CheckFailed(f"a compiled sum gave {result}, not 10")
    return Finding(Status.OK, f"{numba.__version__}; compiled a kernel in {seconds:.1f} s")


def _torch() -> Finding:
    import torch

    detail = f"{torch.__version__}; {torch.get_num_threads()} threads"
    unset = [f"{name}={value}" for name, value in _PASSIVE_OPENMP.items() if os.environ.get(name) != value]
    if unset:
        return Finding(Status.ADVICE, detail, f"export {' '.join(unset)} before Python starts")
    return Finding(Status.OK, f"{detail}; {' '.join(f'{name}={value}' for name, value in _PASSIVE_OPENMP.items())}")


def _ffmpeg() -> Finding:
    import imageio_ffmpeg

    return Finding(Status.OK, f"{imageio_ffmpeg.get_ffmpeg_version()} at {imageio_ffmpeg.get_ffmpeg_exe()}")


MUJOCO = Check("MuJoCo", _mujoco, fix='pip install --force-reinstall "mujoco>=4,<5"', required=True)
NUMBA = Check(
    "numba", _numba, fix="pip install --force-reinstall numba; if it cannot write its cache, set NUMBA_CACHE_DIR"
)
TORCH = Check("torch", _torch, fix='pip install --force-reinstall "torch>=2.9,<3"', required=True)
FFMPEG = Check("ffmpeg", _ffmpeg, fix="pip install imageio-ffmpeg, or set IMAGEIO_FFMPEG_EXE to an ffmpeg of your own")
