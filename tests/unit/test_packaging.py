"""The wheel carries every resource, and they load from where it is installed."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_LOAD = """
from playground import resources, __version__
from playground.bench import suites
from playground.compare.prompts import all_prompts
from playground.models.catalog.catalog import shipped
assert "_resources" in str(resources.root()), resources.root()
assert len(all_prompts()) >= 12
assert shipped().pairs[0].is_story
assert [len(suites.load(name).tasks) >= 60 for name in ("starter", "humaneval")] == [True, True]
for folder in ("fonts", "icons", "style"):
    assert any(resources.path(folder).iterdir()), folder
print(__version__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(folder),
        str(_ROOT),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("local_model_playground-*.whl"))


def test_every_resource_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    files = [file for file in (_ROOT / "resources").rglob("*") if file.is_file()]
    assert len(files) > 20
    missing = [
        f
        for f in files
        if f"playground/_resources/{f.relative_to(_ROOT / 'resources').as_posix()}" not in names
    ]
    assert not missing


def test_resources_load_from_an_installed_wheel(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); {_LOAD}".replace("; \n", "\n")
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
