"""A room imports only from the rooms before it (docs/architecture.md): a walk over every import and cimport."""
import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "carnelian"
ROOMS = ["base", "protocol", "types", "keyspace", "commands", "engine", "scripting", "persistence", "replication", "client",
         "server", "web"]
WEB_MAY_USE = {"client"}
CIMPORT = re.compile(r"^\s*(?:from\s+(\S+)\s+cimport|cimport\s+(\S+)|from\s+(\S+)\s+import|import\s+(\S+))")


def module_name(path):
    return ".".join(("carnelian", *path.relative_to(PACKAGE).with_suffix("").parts))


def imports(path):
    """(line, dotted name) of everything of ours that a file imports. A name imported from a package is given with it."""
    package = module_name(path).split(".")[:-1]
    if path.suffix == ".pxd":
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if match := CIMPORT.match(line):
                yield number, next(group for group in match.groups() if group)
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[:len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            for alias in node.names:
                yield node.lineno, f"{module}.{alias.name}"


def room(name):
    """The room of a dotted name, or None when it is not in one."""
    parts = name.split(".")
    if parts[:2] == ["cython", "cimports"]:
        parts = parts[2:]
    return parts[1] if len(parts) > 1 and parts[0] == "carnelian" and parts[1] in ROOMS else None


def test_every_directory_is_a_room():
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} <= set(ROOMS)


def test_the_direction_of_imports():
    wrong = []
    for path in sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.pxd")]):
        here = room(module_name(path))
        if here is None:
            continue
        for number, name in imports(path):
            there = room(name)
            if there is None or there == here:
                continue
            allowed = there in WEB_MAY_USE if here == "web" else ROOMS.index(there) < ROOMS.index(here)
            if not allowed:
                wrong.append(f"{path.relative_to(PACKAGE.parent)}:{number}: {here} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_imports_are_found(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    (tmp_path / "types").mkdir()
    (tmp_path / "types" / "x.py").write_text(
        "import os, carnelian.base.errors\nfrom ..engine import y\nfrom cython.cimports.carnelian.protocol.writer import Writer\n"
        "def late():\n    from .z import w\n")
    (tmp_path / "types" / "x.pxd").write_text("from carnelian.types.table cimport Table\n  cimport carnelian.server.a\n")
    assert [room(name) for _, name in imports(tmp_path / "types" / "x.py")] == [None, "base", "engine", "protocol", "types"]
    assert [room(name) for _, name in imports(tmp_path / "types" / "x.pxd")] == ["types", "server"]
