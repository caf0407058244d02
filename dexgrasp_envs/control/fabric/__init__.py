"""A geometric fabric: second-order dynamics of the commanded joints from energies, geometries and potentials."""
