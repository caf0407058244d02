"""`python -m dexgrasp_envs.cli`: the command `dexgrasp` where scripts are not on the path."""

import sys

from . import main

sys.exit(main())
