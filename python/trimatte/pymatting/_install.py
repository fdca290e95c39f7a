"""Let ``import pymatting`` mean this package, for programs of other people."""

from __future__ import annotations

import sys

NAME = "pymatting"
OURS = __name__.rpartition(".")[0]


def install() -> None:
    """Let ``import pymatting`` of this process mean `trimatte.pymatting`, with all submodules.

    Call it before the first import of the program that uses PyMatting. A second call changes
    nothing.

    Raises
    ------
    ImportError
        If PyMatting itself is imported already: those who imported it would keep it.
    """
    ours = {
        NAME + name[len(OURS) :]: module
        for name, module in list(sys.modules.items())
        if name == OURS or name.startswith(OURS + ".")
    }
    for name, module in sorted(sys.modules.items()):  # names differ, so that no modules are compared
        if (name == NAME or name.startswith(NAME + ".")) and ours.get(name) is not module:
            raise ImportError(
                f"install: expected that PyMatting is not imported yet, got {name} from "
                f"{getattr(module, '__file__', None)}; call trimatte.pymatting.install() before other imports"
            )
    sys.modules.update(ours)
