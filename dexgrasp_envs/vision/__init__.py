"""Camera models and the ray-caster: what an environment sees, computed from body poses without any graphics library."""
