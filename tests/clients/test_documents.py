"""The committed OpenAPI documents suit the tools that read them: linters, validators, examples."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from mythoughts_chassis.inputs import fit
from mythoughts_chassis.problems import BadInput
from tests.clients import tools
from thoughts_backend.schemas import NewThought
from tooling.project import ROOT
from users_backend.schemas import Login, NewUser

BACKENDS = ("thoughts_backend", "users_backend")

# Each character up to U+FFFF, and texts that use more than one or what is beyond.
TEXTS = [
    *(chr(number) for number in range(0x10000) if not 0xD800 <= number <= 0xDFFF),
    *("bruce", "Zoë 小雨", "李小龙", "a\u0301", "नमस्ते", "می‌خواهم", "O’Hara", "x\ny", " a ", "a  b"),
    *("👊", "👨‍👩‍👧", "🏳️‍🌈", "𝒷ruce", "☕️", "x" * 50, "🙂" * 50, "12345678", "be water, my friend"),
]

Json = dict[str, Any]


@pytest.fixture(params=BACKENDS)
def path(request: pytest.FixtureRequest) -> Path:
    """The committed document of each backend."""
    return ROOT / "services" / str(request.param) / "openapi.json"


@pytest.fixture
def document(path: Path) -> Json:
    """What is in it."""
    content: Json = json.loads(path.read_bytes())
    return content


def parts_of(part: Any) -> Iterator[Json]:
    """Every object in a document."""
    children = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    if isinstance(part, dict):
        yield part
    for child in children:
        yield from parts_of(child)


@pytest.mark.node
def test_redocly_finds_no_error(path: Path) -> None:
    """`redocly lint` has nothing against the document by its recommended rules."""
    done = tools.run("redocly", "lint", "--extends", "recommended", path)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.node
def test_spectral_finds_nothing(path: Path) -> None:
    """Spectral has nothing against the document by the rules of spectral:oas."""
    done = tools.run("node", tools.FOLDER / "spectral.cjs", path)

    assert (done.stdout, done.stderr) == ("", "")


def test_examples_fit(document: Json) -> None:
    """Every example in the document is of the shape that it is an example of."""
    schemas = [part for part in parts_of(document) if "examples" in part or "example" in part]

    for schema in schemas:
        for example in schema.get("examples", [schema.get("example")]):
            jsonschema_rs.validate({**schema, "components": document["components"]}, example)
    assert schemas


def test_bodies_have_examples(document: Json) -> None:
    """Every field that a client must send has an example, so that a page can fill in a form."""
    bodies = [part["requestBody"] for part in parts_of(document) if "requestBody" in part]

    names = [
        body["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1] for body in bodies
    ]
    assert names
    for name in names:
        shape = document["components"]["schemas"][name]
        assert all("examples" in shape["properties"][field] for field in shape["required"]), name


def test_ids_are_64_bits_wide(document: Json) -> None:
    """Every integer that may be larger than 2^31 says that it has 64 bits."""
    integers = [part for part in parts_of(document) if part.get("type") == "integer"]

    wide = [part for part in integers if part.get("maximum", 0) > 2**31]
    assert wide
    assert all(part.get("format") == "int64" for part in wide)


@pytest.mark.parametrize(
    ("backend", "shape", "field"),
    [("thoughts_backend", "Thought", "timestamp"), ("users_backend", "User", "creation")],
)
def test_times_are_dates_and_times(backend: str, shape: str, field: str) -> None:
    """A time says that it is one of RFC 3339."""
    document = json.loads((ROOT / "services" / backend / "openapi.json").read_bytes())

    assert document["components"]["schemas"][shape]["properties"][field]["format"] == "date-time"


def test_operations_are_grouped(document: Json) -> None:
    """Each operation has exactly one tag, and each tag says what is in it."""
    operations = [part for part in parts_of(document["paths"]) if "operationId" in part]

    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    assert {tag for operation in operations for tag in operation["tags"]} == described
    assert all(len(operation["tags"]) == 1 for operation in operations)


def is_accepted(values: Json, shape: type[msgspec.Struct]) -> bool:
    """Whether a backend accepts a body."""
    try:
        fit(values, shape)
    except BadInput:
        return False
    return True


@pytest.mark.node
@pytest.mark.parametrize("script", ["python patterns.py", "node patterns.cjs"])
def test_patterns_are_read_by_every_dialect(document: Json, script: str) -> None:
    """Python, Go (RE2) and JavaScript, with and without `u`, read every pattern in the document."""
    patterns: Json = {part["pattern"]: [] for part in parts_of(document) if "pattern" in part}

    done = tools.run(*script.split(), cwd=tools.FOLDER, input=json.dumps(patterns))

    assert patterns
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.node
@pytest.mark.parametrize("script", ["python patterns.py", "node patterns.cjs"])
@pytest.mark.parametrize(
    ("backend", "shape", "field"),
    [
        ("thoughts_backend", NewThought, "text"),
        ("users_backend", Login, "username"),
        ("users_backend", Login, "password"),
        ("users_backend", NewUser, "username"),
        ("users_backend", NewUser, "password"),
    ],
)
def test_patterns_take_what_the_backend_takes(
    backend: str, shape: type[msgspec.Struct], field: str, script: str
) -> None:
    """A text that a backend accepts fits its pattern, in every dialect."""
    document = json.loads((ROOT / "services" / backend / "openapi.json").read_bytes())
    fields = document["components"]["schemas"][shape.__name__]["properties"]
    good = {name: schema["examples"][0] for name, schema in fields.items()}
    texts = [text for text in TEXTS if is_accepted(good | {field: text}, shape)]

    patterns = {fields[field]["pattern"]: texts}
    done = tools.run(*script.split(), cwd=tools.FOLDER, input=json.dumps(patterns))

    assert len(texts) > 1
    assert (done.returncode, done.stdout) == (0, "")
