"""Measures the images and their containers: size, cold start, memory at rest.

The containers are those of Docker Compose, with the demonstration data.
"""

import gzip
import re
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import table, verdict
from testkit.compose_project import Project
from testkit.docker import IMAGES, Image, docker, inspected
from tooling.readiness import is_ready, wait_until

BASE = "python:3.13-slim-trixie"
STARTS = 5
# By then a container has finished its startup work.
SETTLE_SECONDS = 20
BUDGET_MB = 90

_BYTES = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


@dataclass(frozen=True, slots=True)
class ImageFigures:
    """The size that an image adds to its base, and what its container needs."""

    name: str
    over_base_bytes: int
    compressed_bytes: int
    cold_start_seconds: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class ImagesResult:
    """The figures of the three images; MB are 1,000,000 bytes, MiB 1,048,576."""

    figures: list[ImageFigures]

    def __str__(self) -> str:
        header = ("image", "over the base, MB", "compressed, MB", "cold start, s")
        rows = [
            [
                figures.name,
                f"{figures.over_base_bytes / 1e6:.1f}",
                f"{figures.compressed_bytes / 1e6:.1f}",
                f"{figures.cold_start_seconds:.1f}",
                f"{figures.memory_bytes / 2**20:.0f}",
                verdict(figures.over_base_bytes / 1e6, BUDGET_MB, " MB"),
            ]
            for figures in self.figures
        ]
        return table([*header, "memory at rest, MiB", "budget"], rows)


def measure_images() -> ImagesResult:
    """Start a separate system, measure it, and remove it."""
    with Project() as project:
        project.up()
        starts = {image.name: _cold_start_seconds(project, image) for image in IMAGES}
        base_bytes = _compressed_bytes(BASE)
        time.sleep(SETTLE_SECONDS)
        return ImagesResult(
            [
                ImageFigures(
                    image.name,
                    over_base_bytes=_size(image.reference) - _size(BASE),
                    compressed_bytes=_compressed_bytes(image.reference) - base_bytes,
                    cold_start_seconds=starts[image.name],
                    memory_bytes=_memory_bytes(project, image),
                )
                for image in IMAGES
            ]
        )


def _size(reference: str) -> int:
    return int(inspected(reference)["Size"])


def _compressed_bytes(reference: str) -> int:
    """The size of an image with its base, compressed as in a registry."""
    with tempfile.NamedTemporaryFile(suffix=".tar") as file:
        docker("save", f"--output={file.name}", reference)
        # By its name: Docker replaces the file instead of writing to it.
        return len(gzip.compress(Path(file.name).read_bytes(), compresslevel=6))


def _cold_start_seconds(project: Project, image: Image) -> float:
    """The median time from the start of a new container to its first ready answer."""
    address = f"{project.url(image.service)}/readyz"
    seconds = []
    for _ in range(STARTS):
        project.compose("rm", "--stop", "--force", image.name)
        project.compose("create", "--no-recreate", image.name)
        container = project.container(image.name)
        started = time.monotonic()
        docker("start", container)
        if not wait_until(lambda: is_ready(address), seconds=60):
            raise TimeoutError(f"{image.name} was not ready within 60 s")
        seconds.append(time.monotonic() - started)
    return statistics.median(seconds)


def _memory_bytes(project: Project, image: Image) -> int:
    """The memory of the container's processes, without the kernel's file cache."""
    usage = docker(
        "stats", "--no-stream", "--format={{.MemUsage}}", project.container(image.name)
    ).split(" / ")[0]
    found = re.fullmatch(r"([\d.]+)(\w+)", usage)
    if found is None:
        raise ValueError(f"docker stats said {usage!r}")
    return round(float(found[1]) * _BYTES[found[2]])
