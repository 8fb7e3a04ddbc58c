"""What the documents say about Kubernetes is there: quoted manifests, objects, labels, folders."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from testkit.manifests import INGRESS_CONTROLLER, Manifests
from testkit.markdown import code_in
from tests.test_docs import DOCUMENTS
from tooling.project import ROOT

# Files in folders called `secrets` are no manifests, and need not be there.
MANIFESTS = sorted(
    path
    for pattern in ("deploy/kubernetes/**/*.yaml", "services/*/*/*.yaml", "deploy/postgres/*.yaml")
    for path in ROOT.glob(pattern)
    if "secrets" not in path.parts
)
ALL_MANIFESTS = "\n".join(path.read_text() for path in MANIFESTS)
KINDS = "configmap|cronjob|deployment|ingress|secret|service|statefulset"


class Quote(NamedTuple):
    """A piece of a manifest in a document."""

    document: Path
    manifest: Path
    text: str

    def __str__(self) -> str:
        """Where it stands, and its first line."""
        first_line = self.text.strip().splitlines()[0].strip()
        return f"{self.document.name}: {first_line}"


def quotes() -> Iterator[Quote]:
    """Every block of YAML in the documents, from the manifest that was linked to last."""
    pattern = re.compile(r"\]\((?P<link>[^)]+\.yaml)\)|```yaml\n(?P<text>.*?)```", re.DOTALL)
    for document in DOCUMENTS:
        manifest = None
        for found in pattern.finditer(document.read_text()):
            if found["link"]:
                manifest = (document.parent / found["link"]).resolve()
            else:
                assert manifest is not None, f"{document}: from which file is this YAML?"
                yield Quote(document, manifest, found["text"])


def objects(folder: Path) -> set[tuple[str, str]]:
    """Kind and name of every object that the manifests describe, generate or are rendered to."""
    rendered = Manifests(folder)
    found = {
        (manifest["kind"].lower(), manifest["metadata"]["name"])
        for variant in ("local", INGRESS_CONTROLLER)
        for manifest in rendered.render(variant)
    }
    for path in MANIFESTS:
        for manifest in yaml.safe_load_all(path.read_text()):
            if "metadata" in manifest:
                found.add((manifest["kind"].lower(), manifest["metadata"]["name"]))
            for kind in ("secret", "configMap"):
                generated = manifest.get(f"{kind}Generator", [])
                found.update((kind.lower(), one["name"]) for one in generated)
    return found


def commands() -> str:
    """Every command of kubectl in the documents, one a line."""
    code = [line for document in DOCUMENTS for line in code_in(document.read_text())]
    return "\n".join(line for line in code if "kubectl " in line)


@pytest.mark.parametrize("quote", list(quotes()), ids=str)
def test_quoted_manifests_are_those_of_the_files(quote: Quote) -> None:
    """YAML in a document stands in the manifest linked to before it, but for its indentation."""
    wanted = textwrap.dedent(quote.text)
    lines = quote.manifest.read_text().splitlines(keepends=True)
    count = len(wanted.splitlines())

    pieces = {textwrap.dedent("".join(lines[start : start + count])) for start in range(len(lines))}

    assert wanted in pieces


def test_objects_in_commands_exist(tmp_path: Path) -> None:
    """Each `kind/name` that a document gives to kubectl is in the manifests."""
    named = set(re.findall(rf"\b({KINDS})/([a-z][a-z0-9-]*)", commands()))

    assert named
    assert named - objects(tmp_path) == set()


def test_labels_in_commands_exist() -> None:
    """Each label that a document gives to kubectl is in the manifests."""
    existing = set(re.findall(r"^ *([a-z./-]+): ([a-z-]+)$", ALL_MANIFESTS, re.MULTILINE))

    named = set(re.findall(r"(?:-l|--selector)[ =]([a-z./-]+)=([a-z-]+)", commands()))

    assert named
    assert named - existing == set()


def test_containers_in_commands_exist() -> None:
    """Each container that a document gives to kubectl is in the manifests."""
    existing = set(re.findall(r"name(?:,.*value)?: ([a-z-]+)", ALL_MANIFESTS))

    named = set(re.findall(r"--container[ =]([a-z-]+)", commands()))

    assert named
    assert named - existing == set()


def test_logs_in_commands_are_of_every_pod() -> None:
    """`kubectl logs deployment/NAME` shows one pod, in a failed rollout often the healthy one."""
    logs = [line for line in commands().splitlines() if re.search(r"kubectl .*\blogs ", line)]

    assert logs
    for line in logs:
        assert "logs job/" in line or ("--selector" in line and "--prefix" in line), line


def test_folders_in_commands_exist() -> None:
    """Each folder that a document gives to kubectl holds a kustomization."""
    folders = set(re.findall(r"(?:-k|kustomize)[ =](deploy/[a-z/-]+)", commands()))

    assert folders
    assert {f for f in folders if not (ROOT / f / "kustomization.yaml").exists()} == set()
