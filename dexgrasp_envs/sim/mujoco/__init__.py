"""The MuJoCo back end: CPU, the default."""

from .opengl import choose_opengl

choose_opengl()
