"""Strict parsing of client input: bodies, query parameters and ids.

Bodies are JSON or form data with the same fields; each shape is a `msgspec.Struct` whose
annotations also define its OpenAPI schema. All invalid fields are reported in one `BadInput`,
with one entry per field. Line breaks in bodies are normalized to LF.

If a schema cannot express a type's rules, `Meta(extra={"rule": …})` holds a function. It returns
the value as it is to be stored, or raises `ValueError` with a message for users. For a type that
msgspec does not know, `extra={"text": …}` holds the type of the text that the rule takes.
"""

import json
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from io import BytesIO
from typing import Annotated, Any, NamedTuple, TypeVar, get_args
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta
from msgspec.structs import FieldInfo
from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartParser,
    parse_options_header,
)

from mythoughts_chassis.problems import BadInput, FieldError, NotFound, UnsupportedMediaType

BODY_TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")

MAX_ID = 2**63 - 1

# For the schema of an integer that may need 64 bits: the default in many languages is smaller.
INT64 = {"format": "int64"}

Id = Annotated[int, Meta(ge=1, le=MAX_ID, extra_json_schema=INT64)]

# For the schema of a text without a pattern of its own: no text may contain NUL. Every regular
# expression dialect understands \x00, unlike \u0000.
WITHOUT_NUL = {"pattern": r"^[^\x00]*$"}

MAX_FORM_FIELDS = 100

_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)

_BOOLEANS = {"true": True, "false": False}

_WORDS = (
    (r"Expected `str` of length >= 1$", "must not be empty"),
    (r"Expected `str` of length >= (\d+)$", r"must have at least \1 characters"),
    (r"Expected `str` of length <= (\d+)$", r"must have at most \1 characters"),
    (r"Expected `int` >= (\d+)$", r"must be at least \1"),
    (r"Expected `int` <= (\d+)$", r"must be at most \1"),
    (r"Expected `str`, got `\w+`$", "must be text"),
    (r"Expected `bool`, got `\w+`$", "must be true or false"),
)

T = TypeVar("T", bound=msgspec.Struct)


def parse_id(text: str) -> int:
    """Return the id in a path; raises `NotFound` unless it is a positive 64-bit integer."""
    if _DIGITS.fullmatch(text) and 0 < int(text) <= MAX_ID:
        return int(text)
    raise NotFound


def parse_query(query: bytes, shape: type[T]) -> T:
    """Return the query parameters as `shape`; raises `BadInput`.

    Unknown parameters are ignored; repeated ones are rejected.
    """
    return fit(_form_fields(query) if query else {}, shape, from_text=True)


def parse_body(content_type: str, body: bytes, shape: type[T]) -> T:
    """Return the body as `shape`; raises `BadInput` or `UnsupportedMediaType`."""
    media_type, options = parse_options_header(content_type)
    match media_type.lower():
        case "application/json":
            return fit(_json_fields(body), shape)
        case "application/x-www-form-urlencoded":
            return fit(_form_fields(body), shape, from_text=True)
        case "multipart/form-data":
            return fit(_multipart_fields(body, options), shape, from_text=True)
        case "" if not body:
            return fit({}, shape)
        case _:
            raise UnsupportedMediaType


def _json_fields(body: bytes) -> dict[str, Any]:
    try:
        fields = msgspec.json.decode(body)
        # msgspec keeps the last of repeated names; the standard library reports both.
        _NAMES.decode(body.decode())
    except (ValueError, RecursionError) as error:
        raise BadInput(f"Invalid JSON: {error}.") from None
    if not isinstance(fields, dict):
        raise BadInput("The body must be a JSON object.")
    return fields


def _form_fields(data: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(
            data.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS
        )
    except ValueError as error:
        raise BadInput(f"Invalid form or query: {error}.") from None
    return _unique(pairs)


def _multipart_fields(body: bytes, options: dict[str, str]) -> dict[str, Any]:
    try:
        parts = MultipartParser(
            BytesIO(body),
            options.get("boundary", ""),
            content_length=len(body),
            part_limit=MAX_FORM_FIELDS,
            strict=True,
        ).parts()
        return _unique((part.name, _part_text(part)) for part in parts)
    except (MultipartError, ValueError) as error:
        raise BadInput(f"Invalid multipart form data: {error}.") from None


def _part_text(part: Any) -> str:
    if part.filename is not None:
        raise BadInput(errors=[FieldError(part.name, "must be text, not a file")])
    return str(part.raw.decode())


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields:
            raise BadInput(errors=[FieldError(name, "is given more than once")])
        fields[name] = value
    return fields


# Reads JSON to find repeated names.
_NAMES = json.JSONDecoder(object_pairs_hook=_unique)


def fit(values: dict[str, Any], shape: type[T], *, from_text: bool = False) -> T:
    """Return the values as `shape`; raises `BadInput`.

    With `from_text`, as in forms, integers are strings of digits, and booleans `true` or `false`.
    """
    faults: list[FieldError] = []
    converted: dict[str, Any] = {}
    for field in _fields(shape):
        if field.wire_name not in values:
            if field.is_required:
                faults.append(FieldError(field.wire_name, "is required"))
            continue
        try:
            converted[field.name] = _value(values[field.wire_name], field, from_text=from_text)
        except ValueError as fault:
            faults.append(FieldError(field.wire_name, str(fault)))
    if faults:
        raise BadInput(errors=faults)
    return shape(**converted)


class _Field(NamedTuple):
    """A field of a shape; `rule` runs last, on the converted value."""

    name: str
    wire_name: str
    is_required: bool
    is_integer: bool
    is_boolean: bool
    type: Any
    rule: Callable[[Any], Any]


def _value(value: Any, field: _Field, *, from_text: bool) -> Any:
    if field.is_integer and from_text:
        if not _DIGITS.fullmatch(value):
            raise ValueError("must be a whole number, written in the digits 0 to 9")
        value = int(value)
    elif field.is_boolean and from_text:
        if value not in _BOOLEANS:
            raise ValueError("must be true or false")
        value = _BOOLEANS[value]
    elif isinstance(value, str):
        if "\x00" in value:
            raise ValueError("must not contain the character NUL")
        value = value.replace("\r\n", "\n")
    try:
        converted = msgspec.convert(value, field.type)
    except msgspec.ValidationError as error:
        raise ValueError(_in_plain_words(str(error))) from None
    return field.rule(converted)


def _in_plain_words(message: str) -> str:
    for theirs, ours in _WORDS:
        message = re.sub(theirs, ours, message)
    return message


@lru_cache
def _fields(shape: type[msgspec.Struct]) -> list[_Field]:
    return [_field(info) for info in msgspec.structs.fields(shape)]


def _field(info: FieldInfo) -> _Field:
    metas = [meta for meta in get_args(info.type)[1:] if isinstance(meta, Meta)]
    extra = {key: value for meta in metas for key, value in (meta.extra or {}).items()}
    return _Field(
        name=info.name,
        wire_name=info.encode_name,
        is_required=info.required,
        is_integer=_is(int, info.type),
        is_boolean=_is(bool, info.type),
        type=extra.get("text", info.type),
        rule=extra.get("rule", lambda value: value),
    )


def _is(kind: type, wanted: Any) -> bool:
    return wanted is kind or any(_is(kind, part) for part in get_args(wanted) if part is not wanted)
