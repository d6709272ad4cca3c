"""Our packages have everyday names; nobody else's of the same name may be taken for them.

`python -m proactive_agent` puts the caller's directory first on `sys.path`, where a folder `tools`,
`providers` or `scenarios` would be found instead of ours.  So these names are looked up beside this
package before anything else, whatever the path says.
"""

import importlib.machinery
import os.path
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

NAMES = frozenset({"tools", "providers", "scenarios"})
HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120


class _OwnPackages(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in NAMES:
            return None
        return importlib.machinery.PathFinder.find_spec(fullname, [HOME])


def put_first() -> None:
    """From now on the names mean our packages.  Raises ImportError where it is too late."""
    for name in NAMES & set(sys.modules):
        file = getattr(sys.modules[name], "__file__", None) or "an unknown place"
        if not os.path.abspath(file).startswith(os.path.join(HOME, name)):  # noqa: PTH100, PTH118
            raise ImportError(
                f"another package named {name!r} is imported already, from {file}; "
                "import proactive_agent before it"
            )
    sys.meta_path.insert(0, _OwnPackages())
