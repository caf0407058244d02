"""The MuJoCo back end: CPU, the default."""
