"""Prints an image's contents as JSON: this file is run inside it, through standard input."""

import importlib.metadata
import importlib.util
import json
import platform
import shutil
import sysconfig
from importlib.util import cache_from_source
from pathlib import Path

TOOLS = ("pip", "pip3", "uv", "cc", "gcc", "c++", "ld", "strip", "make", "git")
MODULES = ("pip", "ensurepip", "hatchling", "pytest")

if __name__ == "__main__":
    sources = Path(sysconfig.get_path("purelib")).rglob("*.py")
    facts = {
        "python_full_version": platform.python_version(),
        "packages": {
            found.metadata["Name"].lower().replace("_", "-"): found.version
            for found in importlib.metadata.distributions()
        },
        "tools": [name for name in TOOLS if shutil.which(name)],
        "modules": [name for name in MODULES if importlib.util.find_spec(name)],
        "not_compiled": [
            str(path) for path in sources if not Path(cache_from_source(str(path))).exists()
        ],
    }
    print(json.dumps(facts))
