"""Files of links: JSON, and GraphML for the programs that draw graphs."""

import json
import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, TextIO
from xml.etree import ElementTree  # nosec B405 - files that declare entities are refused

from somafractalmemory.cli.reading import coord_text
from somafractalmemory.errors import InvalidRequest

FORMAT = "somafractalmemory-graph"
VERSION = 1
Link = dict[str, Any]
_GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"
_DATA = (("type", "string"), ("weight", "double"), ("timestamp", "double"))
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def is_graphml(path: Path) -> bool:
    """By its suffix; anything else is JSON."""
    return path.suffix in {".graphml", ".xml"}


def write_json(file: TextIO, links: Sequence[Link]) -> None:
    """One link a line, so that two exports can be compared."""
    lines = ",\n".join(json.dumps(link) for link in links)
    file.write(f'{{"format": "{FORMAT}", "version": {VERSION}, "links": [\n{lines}\n]}}\n')


def write_graphml(file: TextIO, links: Sequence[Link]) -> None:
    """Places are nodes. Raises InvalidRequest for a type that XML cannot hold."""
    nodes = dict.fromkeys(_name(link[end]) for link in links for end in ("from", "to"))
    file.write('<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n')
    file.writelines(f'  <key id="{name}" for="edge" attr.name="{name}" attr.type="{kind}"/>\n' for name, kind in _DATA)
    file.write('  <graph edgedefault="directed">\n')
    file.writelines(f'    <node id="{node}"/>\n' for node in nodes)
    file.writelines(_edge(link) for link in links)
    file.write("  </graph>\n</graphml>\n")


def _edge(link: Link) -> str:
    if _NO_XML.search(link["type"]):
        raise InvalidRequest(f"--path: XML cannot hold the type {link['type']!r}; export to a .json file")
    data = "".join(f'<data key="{name}">{_text(link[name])}</data>' for name, _ in _DATA)
    return f'    <edge source="{_name(link["from"])}" target="{_name(link["to"])}">{data}</edge>\n'


def _text(value: Any) -> str:
    """Escaped; a carriage return would be read back as a line feed unless it is written as a number."""
    return escape(str(value), quote=False).replace("\r", "&#13;")


def read(path: Path, text: str) -> list[Link]:
    """Links as `POST /links` takes them. Raises InvalidRequest."""
    try:
        return list(_from_graphml(text) if is_graphml(path) else _from_json(text))
    except (ValueError, TypeError, KeyError, RecursionError, ElementTree.ParseError) as error:
        raise InvalidRequest(
            f"--path: {path} is no graph as export-graph writes it: {error}; nothing was linked"
        ) from None


def _from_json(text: str) -> Iterator[Link]:
    found = json.loads(text)
    if not isinstance(found, dict) or found.get("format") != FORMAT or found.get("version") != VERSION:
        raise ValueError(f'"format" is {FORMAT!r} and "version" {VERSION}')
    for link in found["links"]:
        yield _link(link["from"], link["to"], link.get("type", "related"), link.get("weight", 1.0))


def _from_graphml(text: str) -> Iterator[Link]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("it defines entities")
    tree = ElementTree.fromstring(text)  # noqa: S314  # nosec B314 - without entities there is nothing to expand
    names = {key.get("id"): key.get("attr.name") for key in tree.iter(f"{_GRAPHML}key")}
    for edge in tree.iter(f"{_GRAPHML}edge"):
        data = {names.get(each.get("key"), each.get("key")): each.text or "" for each in edge.iter(f"{_GRAPHML}data")}
        weight = float(data.get("weight", 1.0))
        yield _link(edge.attrib["source"], edge.attrib["target"], data.get("type", "related"), weight)


def _link(source: Any, target: Any, kind: Any, weight: Any) -> Link:
    return {
        "from_coord": coord_text(source),
        "to_coord": coord_text(target),
        "type": str(kind),
        "weight": float(weight),
    }


def _name(place: Sequence[float]) -> str:
    return ",".join(map(repr, place))
