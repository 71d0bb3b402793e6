"""The document as a page: plain HTML that folds, without a script, so that it works everywhere and from one answer."""

from collections.abc import Iterator
from html import escape
from typing import Any

from msgspec.json import encode, format

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2024 }
h2 { margin: 2rem 0 .5rem; font-size: 1.1rem } nav { columns: 14rem; font-size: .9rem } nav a { display: block }
details { border: 1px solid #d8dce0; border-radius: 4px; margin: .25rem 0; padding: .2rem .6rem }
summary { cursor: pointer } code, pre { font: 13px/1.4 ui-monospace, monospace }
pre { background: #f5f6f7; padding: .6rem; overflow: auto } b { display: inline-block; width: 4.5rem }
table { border-collapse: collapse } td { padding: .1rem .8rem .1rem 0; vertical-align: top }
"""

METHODS = ("get", "post", "put", "delete", "patch")


def page_of(document: dict[str, Any]) -> str:
    """The whole page."""
    groups: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                operation = operations[method]
                groups.setdefault(operation["tags"][0], []).append("".join(_operation(path, method, operation)))
    info = document["info"]
    title = f"{escape(info['title'])} {escape(info['version'])}"
    links = "".join(f'<a href="#{escape(name)}">{escape(name)}</a>' for name in sorted(groups))
    body = "".join(f'<h2 id="{escape(name)}">{escape(name)}</h2>{"".join(groups[name])}' for name in sorted(groups))
    schemas = "".join(_schema(name, schema) for name, schema in document["components"]["schemas"].items())
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head>"
        f'<body><h1>{title}</h1><p>{escape(info["description"])}</p><p><a href="openapi.json">openapi.json</a></p>'
        f'<nav>{links}<a href="#schemas">schemas</a></nav>{body}<h2 id="schemas">schemas</h2>{schemas}</body></html>'
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    summary = escape(operation["summary"])
    yield f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code> {summary}</summary>"
    if "parameters" in operation:
        yield "<table>" + "".join(_parameter(each) for each in operation["parameters"]) + "</table>"
    if "requestBody" in operation:
        yield f"<p>Body</p>{_content(operation['requestBody'])}"
    for status, answer in operation["responses"].items():
        yield f"<p>{escape(status)}: {escape(answer['description'])}</p>"
        if status.startswith("2"):
            yield _content(answer)
    yield "</details>"


def _parameter(parameter: dict[str, Any]) -> str:
    text = escape(parameter.get("description", ""))
    return f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{parameter['in']}</td><td>{text}</td></tr>"


def _content(part: dict[str, Any]) -> str:
    return "".join(_code(content["schema"]) for content in part.get("content", {}).values())


def _schema(name: str, schema: dict[str, Any]) -> str:
    return f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>{_code(schema)}</details>'


def _code(schema: object) -> str:
    return f"<pre>{escape(format(encode(schema), indent=2).decode())}</pre>"
