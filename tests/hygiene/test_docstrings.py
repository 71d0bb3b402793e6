"""Everything public says what it is."""

import ast
from collections.abc import Iterator

import msgspec
import pytest

from netplane.model import CONTROL, KINDS, Record, kind_of
from tests.hygiene.sources import PACKAGE, name, parsed, python_files

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def undocumented(node: Documented, path: str) -> Iterator[str]:
    """The public things in a syntax tree that have no docstring, by their dotted path."""
    if ast.get_docstring(node) is None:
        yield path
    if isinstance(node, ast.Module | ast.ClassDef):
        for child in node.body:
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and child.name[0] != "_":
                yield from undocumented(child, f"{path}:{child.name}")


def test_every_module_class_and_function_has_a_docstring() -> None:
    missing = [
        thing for path in python_files("src", "tools", "bench") for thing in undocumented(parsed(path), name(path))
    ]
    assert missing == []


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {path.parent for path in python_files("src")} - {PACKAGE.parent}
    assert [name(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_every_test_module_has_a_docstring() -> None:
    assert [name(path) for path in python_files("tests") if ast.get_docstring(parsed(path)) is None] == []


@pytest.mark.parametrize("kind", [*KINDS, *CONTROL], ids=kind_of)
def test_every_field_of_a_record_is_described(kind: type[Record]) -> None:
    schema = msgspec.json.schema(kind)["$defs"][kind.__name__]
    said_of = schema.get("properties") or zip(kind.__struct_fields__, schema["prefixItems"], strict=True)
    assert [field for field, said in dict(said_of).items() if "description" not in said and field not in OBVIOUS] == []


OBVIOUS = {"kind", "id"}
"""Told by the kind's own docstring."""
