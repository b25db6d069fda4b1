"""Where the keys of a TOML document stand."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from helpdesk.tomllines import Loc, lines_of

KEYS = st.sampled_from(["a", "b-c", "d_1", '"q k"', "'l.k'", '"\\u00e9#"'])
SCALARS = st.sampled_from(
    [
        "1",
        "2.5",
        "true",
        "1979-05-27T07:32:00Z",
        "1979-05-27 07:32:00",
        '"a # [no] = comment"',
        "'lit\\'",
        '"esc \\" quote"',
        '"""\nmore\n[lines] = "x"\n\\""""',
        "'''\nraw ''\n'''",
        '""',
        '""""two quotes"""""',
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[\n # [c]\n" + ",\n".join(items) + "]"),
        st.lists(inner.filter(lambda value: "\n" not in value), min_size=1, max_size=3).map(
            lambda items: "{ " + ", ".join(f"i{number} = {item}" for number, item in enumerate(items)) + " }"
        ),
    ),
    max_leaves=5,
)


def locs(document: object, loc: Loc = ()) -> Iterator[Loc]:
    """Every path of a document."""
    children: Any = ()
    if isinstance(document, Mapping):
        children = document.items()
    elif isinstance(document, list):
        children = enumerate(document)
    for key, value in children:
        yield (*loc, key)
        yield from locs(value, (*loc, key))


STATEMENTS = st.lists(st.tuples(st.sampled_from(["pair", "table", "array"]), KEYS, VALUES), max_size=12)


@given(STATEMENTS, st.sampled_from(["\n", "\r\n"]))
def test_every_key_of_a_document_has_its_line(statements: list[tuple[str, str, str]], line_end: str) -> None:
    """In any document each path that TOML reads is found, and each numbered key on the line where it is written."""
    text = ""
    expected: dict[str, int] = {}
    for number, (kind, key, value) in enumerate(statements):
        text += {"pair": "", "table": f"[ t{number} . {key} ] # c\n", "array": f"[[{key}]]\n"}[kind]
        expected[f"n{number}"] = text.count("\n") + 1
        text += f"  n{number} = {value} # end\n"
    text = text.replace("\n", line_end)
    found = lines_of(text)
    assert set(locs(tomllib.loads(text))) == set(found)
    for loc, line in found.items():
        assert line == expected.get(str(loc[-1]), line)


def test_lines_know_nested_arrays_of_tables_and_dotted_keys() -> None:
    """The second queue of the second site, and the parts of a dotted key, are found where they are written."""
    text = """\
[[site]]
name = "A"
[[site.queue]]
queue = "1"
[[site]]
[[site.queue]]
queue = "2"
[[site.queue]]
queue = "3"
[site.more."x.y"]
a.b = { c = [1,
  2] }
"""
    lines = lines_of(text)
    assert lines["site", 0, "queue", 0, "queue"] == 4
    assert lines["site", 1, "queue", 1, "queue"] == 9
    assert lines["site", 1, "more", "x.y", "a", "b", "c", 1] == 12
    assert lines["site", 1] == 5
