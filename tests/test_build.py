"""What is compiled is what is written: a stale extension module would hide every edit of its source.

Times are compared, so `git checkout` may ask for a build that changes nothing.
"""
import re
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import carnelian

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "carnelian"
CIMPORT = re.compile(r"^\s*from\s+(?:cython\.cimports\.(carnelian[\w.]*)\s+import|(carnelian[\w.]*|\.[\w.]*)\s+cimport)\s",
                     re.MULTILINE)


def compiled():
    """The sources that setup.py compiles: the same rule, told by the first line."""
    for path in sorted(PACKAGE.rglob("*.py")):
        with path.open(encoding="utf-8") as source:
            if source.readline().startswith("# cython:"):
                yield path


def extension(path):
    """The extension module beside a source, or None."""
    for suffix in EXTENSION_SUFFIXES:
        candidate = path.with_name(path.stem + suffix)
        if candidate.exists():
            return candidate
    return None


def declarations(path, seen=None):
    """The .pxd files that the C code of a source depends on: its own and those of the modules it cimports, and so on."""
    seen = set() if seen is None else seen
    own = path.with_suffix(".pxd")
    if own.exists() and own not in seen:
        seen.add(own)
        declarations(own, seen)
    for match in CIMPORT.finditer(path.read_text(encoding="utf-8")):
        name = match[1] or match[2]
        if name.startswith("."):
            level = len(name) - len(name.lstrip("."))
            target = path.parents[level - 1].joinpath(*name.lstrip(".").split("."))
        else:
            target = ROOT.joinpath(*name.split("."))
        pxd = target.with_suffix(".pxd")
        if pxd.exists() and pxd not in seen:
            seen.add(pxd)
            declarations(pxd, seen)
    return seen


@pytest.mark.skipif(not Path(carnelian.__file__).resolve().is_relative_to(ROOT),
                    reason="an installed package is under test, not this source tree")
def test_nothing_is_stale():
    stale = []
    for path in compiled():
        built = extension(path)
        if built is None:
            stale.append(f"{path.relative_to(ROOT)} is not compiled")
            continue
        time = built.stat().st_mtime
        stale += [f"{source.relative_to(ROOT)} is newer than {built.relative_to(ROOT)}"
                  for source in [path, *sorted(declarations(path))] if source.stat().st_mtime > time]
    assert not stale, "run `make build`:\n" + "\n".join(stale)


def test_no_extension_without_its_source():
    left = [str(path.relative_to(ROOT)) for suffix in EXTENSION_SUFFIXES for path in PACKAGE.rglob("*" + suffix)
            if path.with_name(path.name.split(".")[0] + ".py") not in set(compiled())]
    assert not left, f"remove (`make clean`): {left}"
