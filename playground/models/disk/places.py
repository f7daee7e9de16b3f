"""Where programs keep their models, on each system and by each environment. Pure: touches no disk.

Paths come from the programs' documentation and sources. A program's settings can move its folder; that is read in
its own module.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from string import Template

from playground.models.disk.inventory_values import Place

NAMES = {
    Place.APP: "Playground",
    Place.HUB: "the Hub cache",
    Place.LM_STUDIO: "LM Studio",
    Place.OLLAMA: "Ollama",
    Place.JAN: "Jan",
    Place.GPT4ALL: "GPT4All",
    Place.LLAMA_CPP: "llama.cpp",
    Place.FOLDER: "an added folder",
}


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides where things lie. ``system`` is ``sys.platform``'s word."""

    system: str
    home: PurePath
    environment: Mapping[str, str]

    def named(self, variable: str) -> PurePath | None:
        """Return the folder that a variable names, None when it is not set."""
        text = self.environment.get(variable, "").strip()
        if not text:
            return None
        text = Template(text).safe_substitute(self.environment)
        if text == "~" or text.startswith(("~/", "~\\")):
            return self.home.joinpath(text[2:])
        return type(self.home)(text)

    def below(self, variable: str, *default: str) -> PurePath:
        """Return the folder that a variable names, else one below the home."""
        return self.named(variable) or self.home.joinpath(*default)

    @property
    def application_data(self) -> PurePath:
        """Return where programs keep their data on macOS."""
        return self.home / "Library" / "Application Support"


def this_machine() -> Machine:
    """Return the machine that the app runs on."""
    try:
        home = Path.home()
    except RuntimeError:  # no HOME, and no such user
        home = Path("~")
    return Machine(sys.platform, home, os.environ)


def hub_cache(machine: Machine) -> PurePath:
    """Return the Hugging Face cache, by the same rules as ``huggingface_hub.constants``."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if found := machine.named(variable):
            return found
    home = machine.named("HF_HOME") or machine.below("XDG_CACHE_HOME", ".cache") / "huggingface"
    return home / "hub"


def llama_cpp(machine: Machine) -> PurePath:
    """Return llama.cpp's cache: flat in older builds, in the Hub's layout in newer ones."""
    if found := machine.named("LLAMA_CACHE"):
        return found
    if machine.system == "win32":
        return machine.below("LOCALAPPDATA", "AppData", "Local") / "llama.cpp"
    if machine.system == "darwin":
        return machine.home / "Library" / "Caches" / "llama.cpp"
    return machine.below("XDG_CACHE_HOME", ".cache") / "llama.cpp"


def ollama(machine: Machine) -> tuple[PurePath, ...]:
    """Return Ollama's folders of models: the user's, and on Linux the service's, which often cannot be read."""
    own = machine.below("OLLAMA_MODELS", ".ollama", "models")
    if machine.system in ("win32", "darwin"):
        return (own,)
    return (own, type(machine.home)("/usr/share/ollama/.ollama/models"))


def lm_studio_home(machine: Machine) -> PurePath:
    """Return LM Studio's folder, unless its pointer file names another."""
    return machine.home / ".lmstudio"


def lm_studio(machine: Machine) -> tuple[PurePath, ...]:
    """Return LM Studio's folders of models, the older one last."""
    return (lm_studio_home(machine) / "models", machine.home / ".cache" / "lm-studio" / "models")


def jan(machine: Machine) -> tuple[PurePath, ...]:
    """Return Jan's data folders; versions differ."""
    if machine.system == "win32":
        return (machine.below("APPDATA", "AppData", "Roaming") / "Jan" / "data",)
    if machine.system == "darwin":
        return (machine.application_data / "Jan" / "data",)
    return (
        machine.below("XDG_CONFIG_HOME", ".config") / "Jan" / "data",
        machine.below("XDG_DATA_HOME", ".local", "share") / "Jan" / "data",
    )


def gpt4all(machine: Machine) -> PurePath:
    """Return GPT4All's folder."""
    if machine.system == "win32":
        return machine.below("LOCALAPPDATA", "AppData", "Local") / "nomic.ai" / "GPT4All"
    if machine.system == "darwin":
        return machine.application_data / "nomic.ai" / "GPT4All"
    return machine.below("XDG_DATA_HOME", ".local", "share") / "nomic.ai" / "GPT4All"
