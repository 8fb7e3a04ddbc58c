"""`make picture`: draws the objects of the overlay `local` in docs/images/cluster.svg.

A box is an object, an arrow leads to what it uses: an Ingress and a Service to where they lead, a
workload to the Services whose addresses it has, a pod to its disk. Each application has a column.
"""

import re
import tempfile
from base64 import b64decode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import count
from pathlib import Path
from typing import Any

from testkit.manifest_objects import containers, named, of_kind, pods
from testkit.manifests import Manifest, Manifests
from tooling.program import run_program
from tooling.project import ROOT

PICTURE = ROOT / "docs" / "images" / "cluster.svg"
DISK = "PersistentVolumeClaim"
COLUMNS = ("frontend", "thoughts", "users")
WIDTH, GAP, TOP, LINE, MARGIN = 270, 36, 64, 17, 20
STYLE = """
    svg { font: 12px system-ui, sans-serif; color-scheme: light dark; background: #fff }
    rect { fill: #f4f6f8; stroke: #69758a } text { fill: #1d2430 } .kind { fill: #57606f }
    .name { font-weight: 600 } path { fill: none; stroke: #3461b3; stroke-width: 1.5 }
    marker path { fill: #3461b3; stroke: none }
    @media (prefers-color-scheme: dark) {
      svg { background: #14181f } rect { fill: #202733; stroke: #7b879c } text { fill: #e6eaf0 }
      .kind { fill: #a3adbd } path { stroke: #7fa6f0 } marker path { fill: #7fa6f0 }
    }
"""
TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
    ' orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>'
)


@dataclass(frozen=True, slots=True)
class Box:
    """An object: its place, what is written in it, and the names of the boxes it leads to."""

    row: int
    column: int
    kind: str
    name: str
    lines: tuple[str, ...] = ()
    leads_to: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What other boxes call it."""
        return f"{self.kind} {self.name}"

    @property
    def height(self) -> int:
        """Its height in pixels."""
        return LINE * (2 + len(self.lines)) + 14


def boxes_of(objects: tuple[Manifest, ...]) -> Iterator[Box]:
    """The boxes of an overlay's Ingresses, Services, workloads and disks, from top to bottom."""
    for ingress in of_kind(objects, "Ingress"):
        rules = ingress["spec"]["rules"]
        service = rules[0]["http"]["paths"][0]["backend"]["service"]["name"]
        hosts = tuple(rule["host"] for rule in rules)
        yield _box(0, ingress, lines=hosts, leads_to=(f"Service {service}",))
    for service in of_kind(objects, "Service"):
        yield _service_box(objects, service)
    for workload in of_kind(objects, "Deployment", "StatefulSet", "CronJob"):
        yield from _workload_boxes(objects, workload)


def draw(boxes: Iterable[Box]) -> str:
    """The picture as SVG."""
    boxes = list(boxes)
    rows = range(1 + max(box.row for box in boxes))
    heights = [max((b.height for b in boxes if b.row == row), default=0) for row in rows]
    tops = [MARGIN + sum(heights[:row]) + TOP * row for row in rows]
    places = {box.key: (_left(box), tops[box.row], box.height) for box in boxes}
    width = 2 * MARGIN + len(COLUMNS) * WIDTH + (len(COLUMNS) - 1) * GAP
    height = tops[-1] + heights[-1] + MARGIN
    arrows = [(box, other) for box in boxes for other in box.leads_to]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            "  <title>The objects of MyThoughts in a cluster for trying out</title>",
            f"  <style>{STYLE}  </style>",
            f"  {TIP}",
            *(_drawn_box(box, tops[box.row]) for box in boxes),
            *(_drawn_arrow(places, number, *arrow) for number, arrow in enumerate(arrows)),
            "</svg>\n",
        ]
    )


def main() -> int:
    """Write the picture."""
    with tempfile.TemporaryDirectory(prefix="mythoughts-picture-") as folder:
        PICTURE.write_text(draw(boxes_of(Manifests(Path(folder)).render("local"))))
    return 0


def _box(row: int, manifest: Manifest, **parts: Any) -> Box:
    name = manifest["metadata"]["labels"]["app.kubernetes.io/name"]
    return Box(row, _column(name), manifest["kind"], manifest["metadata"]["name"], **parts)


def _service_box(objects: tuple[Manifest, ...], service: Manifest) -> Box:
    selector = service["spec"]["selector"].items()
    (target,) = [
        workload
        for workload in of_kind(objects, "Deployment", "StatefulSet")
        if selector <= workload["spec"]["template"]["metadata"]["labels"].items()
    ]
    (port,) = service["spec"]["ports"]
    node_port = (f"node port {port['nodePort']}",) if "nodePort" in port else ()
    return _box(
        3 if target["kind"] == "StatefulSet" else 1,
        service,
        lines=(f"port {port['port']}", *node_port),
        leads_to=(f"{target['kind']} {target['metadata']['name']}",),
    )


def _workload_boxes(objects: tuple[Manifest, ...], workload: Manifest) -> Iterator[Box]:
    """The box of a workload, and those of its disks."""
    ((name, pod),) = pods([workload])
    first = ", ".join(c["name"] for c in pod["spec"].get("initContainers", []))
    disks = _disks(workload, name, pod)
    called = _called_services(objects, pod)
    box = _box(
        2 if workload["kind"] == "Deployment" else 4,
        workload,
        lines=(*([f"first: {first}"] if first else []), *_mounted(pod)),
        leads_to=(*(f"Service {n}" for n in called), *(f"{DISK} {n}" for n in disks)),
    )
    yield box
    for disk in disks:
        yield Box(box.row + 1, box.column, DISK, disk)


def _disks(workload: Manifest, name: str, pod: dict[str, Any]) -> list[str]:
    """The names of the claims that a workload's first pod has."""
    templates = workload["spec"].get("volumeClaimTemplates", [])
    made = [f"{template['metadata']['name']}-{name}-0" for template in templates]
    mounted = [volume.get("persistentVolumeClaim") for volume in pod["spec"]["volumes"]]
    return [*made, *(claim["claimName"] for claim in mounted if claim)]


def _mounted(pod: dict[str, Any]) -> Iterator[str]:
    """The Secrets and ConfigMaps of a pod, without the hash that kustomize adds to a name."""
    for volume in pod["spec"]["volumes"]:
        if "secret" in volume:
            yield f"Secret {volume['secret']['secretName']}"
        elif "configMap" in volume:
            name = re.sub("-[bcdfghkmt2-9]{10}$", "", volume["configMap"]["name"])
            yield f"ConfigMap {name}"


def _called_services(objects: tuple[Manifest, ...], pod: dict[str, Any]) -> list[str]:
    """The Services whose names are in addresses that the pod gets: in variables and in Secrets."""
    texts = [v.get("value", "") for c in containers(pod) for v in c.get("env", [])]
    for volume in pod["spec"]["volumes"]:
        if "secret" in volume:
            secret = named(objects, "Secret", volume["secret"]["secretName"])
            texts += [b64decode(text).decode() for text in secret["data"].values()]
    services = [service["metadata"]["name"] for service in of_kind(objects, "Service")]
    return [name for name in services if any(re.search(f"[/@]{name}\\b", t) for t in texts)]


def _column(name: str) -> int:
    """The column of an application; what belongs to none is in the first."""
    return next((n for n, start in enumerate(COLUMNS) if name.startswith(start)), 0)


def _left(box: Box) -> int:
    return MARGIN + box.column * (WIDTH + GAP)


def _drawn_box(box: Box, top: int) -> str:
    left = _left(box)
    words = [("kind", box.kind), ("name", box.name), *(("line", line) for line in box.lines)]
    texts = "".join(
        f'<text class="{style}" x="{left + 12}" y="{baseline}">{escape(text)}</text>'
        for baseline, (style, text) in zip(count(top + 20, LINE), words, strict=False)
    )
    size = f'width="{WIDTH}" height="{box.height}"'
    return f'  <rect x="{left}" y="{top}" {size} rx="6"/>{texts}'


def _drawn_arrow(places: dict[str, tuple[int, int, int]], number: int, box: Box, other: str) -> str:
    """Straight down to the next row; otherwise through the space above the box's row."""
    (left, top, height), (to_left, to_top, to_height) = places[box.key], places[other]
    if to_top > top and to_left == left:
        x = left + WIDTH // 2
        return f'  <path marker-end="url(#tip)" d="M{x} {top + height}V{to_top}"/>'
    lane = top - 12 - 10 * (number % 4)
    start, end = left + WIDTH - 30 - 16 * (number % 4), to_left + 30 + 16 * (number % 4)
    return f'  <path marker-end="url(#tip)" d="M{start} {top}V{lane}H{end}V{to_top + to_height}"/>'


if __name__ == "__main__":
    run_program(main)
