"""The package as a site installs it: a wheel in a virtual environment of its own, far from this checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).parent.parent.parent
LIBRARIES: Final = sysconfig.get_path("purelib")
"""Where the libraries of the tests are; whoever adds this folder does not see the checkout, which a .pth in it names."""


def build(kind: str, folder: Path, source: Path = PROJECT) -> Path:
    """Build a `wheel` or an `sdist`, without asking any index."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    [made] = folder.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return made


def install(wheel: Path, folder: Path, python: str = sys.executable, libraries: str = LIBRARIES) -> Path:
    """Make an environment with nothing but the wheel; the libraries that it needs are those of the tests. Its `bin`."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    assert uv is not None, "uv is in the group dev"
    environment = {**os.environ, "UV_OFFLINE": "1", "UV_NO_CONFIG": "1", "UV_LINK_MODE": "copy"}
    programs = folder / "bin"
    for command in (
        ["venv", "--quiet", "--no-project", "--python", python, str(folder)],
        [
            "pip",
            "install",
            "--quiet",
            "--no-index",
            "--no-deps",
            "--compile-bytecode",
            "--python",
            str(programs / "python"),
            str(wheel),
        ],
    ):
        subprocess.run([uv, *command], check=True, capture_output=True, env=environment)
    [packages] = folder.glob("lib/python3.*/site-packages")
    (packages / "libraries.pth").write_text(f"{libraries}\n")
    return programs
