"""From actions to joint targets for each substep."""
