"""The compiled modules: every `.py` of the package whose first line is a `# cython:` line.

CARNELIAN_CFLAGS overrides the optimisation level (`-O1` builds faster while developing), CARNELIAN_CYTHON_CACHE names
a directory where Cython's output is kept between builds, CARNELIAN_BUILD_JOBS how many modules Cython translates at once.
"""
import os
import shlex
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup


def compiled_modules():
    for path in sorted(Path("carnelian").rglob("*.py")):
        if "reactor" in path.parts and not sys.platform.startswith("linux"):
            continue                # it needs epoll; elsewhere the server uses asyncio's transports
        with path.open(encoding="utf-8") as source:
            if source.readline().startswith("# cython:"):
                yield ".".join(path.with_suffix("").parts), str(path)


flags = ["/O2"] if os.name == "nt" else shlex.split(os.environ.get("CARNELIAN_CFLAGS", "-O2")) + [
    "-g0", "-fno-strict-aliasing", "-Wno-unused-function", "-Wno-unreachable-code", "-Wno-sign-compare"]
cache = os.environ.get("CARNELIAN_CYTHON_CACHE")

if __name__ == "__main__":          # Cython's own processes import this file again where they are not forked
    setup(
        ext_modules=cythonize(
            [Extension(name, [path], extra_compile_args=flags) for name, path in compiled_modules()],
            compiler_directives={"language_level": 3, "embedsignature": False},
            cache=cache or False,
            nthreads=int(os.environ.get("CARNELIAN_BUILD_JOBS", "0")),
            quiet=True,
        )
    )
