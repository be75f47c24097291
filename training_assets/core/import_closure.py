"""The modules of this package that a module needs, found by its imports: the code that travels with a model."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def modules_behind(module: str) -> list[Path]:
    """A module (`serving.py`) and, through imports at any depth, all of the package behind it, relative to its root.

    Imports for type checkers alone are left out; packages come with their `__init__.py`.
    """
    found: set[Path] = set()
    left = [PACKAGE / module]
    while left:
        path = left.pop()
        if path in found:
            continue
        found.add(path)
        left += [parent / "__init__.py" for parent in path.parents if parent.is_relative_to(PACKAGE)]
        if path == PACKAGE / "__init__.py":
            continue  # it imports the component, and so everything, but only when somebody asks for that
        for name in imported(ast.parse(path.read_text(encoding="utf-8"))):
            if name.split(".")[0] != PACKAGE.name:
                continue
            base = PACKAGE.joinpath(*name.split(".")[1:])
            left += [file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()]
    return sorted(path.relative_to(PACKAGE) for path in found)


def imported(tree: ast.AST, package: tuple[str, ...] = ()) -> list[str]:
    """Names that a module of that package may import, at its top or inside a function: modules, and what they hold."""
    names: list[str] = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            names += [module, *(f"{module}.{alias.name}".lstrip(".") for alias in node.names)]
        else:
            names += imported(node, package)
    return names
