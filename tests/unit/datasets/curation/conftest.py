"""Modules beside the tests can be imported, here and in the processes of a build."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
