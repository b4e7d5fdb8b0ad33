"""A file that is exported over keeps what a person wrote in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import configurations, document_of
from vivienne.commands.yaml.reading import read_yaml
from vivienne.commands.yaml.updating import update
from vivienne.commands.yaml.writing import header, tree, write
from vivienne.config.documents import leaves
from vivienne.config.tunables import DEFAULTS
from vivienne.errors import FileUnreadable

if TYPE_CHECKING:
    from vivienne.wire.document import Document

NOW = header(7, "2026-01-02T03:04:05.678Z")
FILE = """\
# Ours; ask Ann before you touch BTC.
format: 1

assets:

  # The big one.
  BTC:   # since March
    filters:
        # 0.4 % was too wide
        levels: {levels_buffer_percent: 0.003}   # fractions!
    settings:
      # Fewer entries on weekends.
      state_threshold_bang: 85   # was 80
      'state_threshold_aim': 7.5e1

      # Half.
      position_size_bang: 0.25
  eth: {bang_threshold: 90}  # small letters

# All of them:
global:
  description: >-
    Made by
    Ann
  settings:
    position_size_aim: 0.1
# The end.
"""
ASSETS: dict[str, Any] = {
    "BTC": {
        "filters": {"levels": {"levels_buffer_percent": 0.003}},
        "settings": {"state_threshold_bang": 85, "state_threshold_aim": 75, "position_size_bang": 0.25},
    },
    "ETH": {"bang_threshold": 90},
}
GLOBAL: dict[str, Any] = {"description": "Made by Ann", "settings": {"position_size_aim": 0.1}}


def updated(text: str, documents: dict[str, Document]) -> str:
    return update(text, "f.yaml", tree(documents), NOW)


def btc(**settings: float) -> dict[str, Document]:
    """What the file says, with other settings of BTC."""
    return {"global": GLOBAL, **ASSETS, "BTC": {**ASSETS["BTC"], "settings": settings}}


def without_note(text: str) -> str:
    return re.sub(r" +#.*", "", text)


def test_what_says_the_same_stays_to_the_letter() -> None:
    assert FILE == updated(FILE, {"global": GLOBAL, **ASSETS})
    assert FILE.replace("\n", "\r\n") == updated(FILE.replace("\n", "\r\n"), {"global": GLOBAL, **ASSETS})


def test_values_are_exchanged_where_they_stand() -> None:
    expected = FILE.replace("bang: 85 ", "bang: 87.5 ").replace("7.5e1", "60")

    assert expected == updated(FILE, btc(state_threshold_bang=87.5, state_threshold_aim=60, position_size_bang=0.25))


def test_what_is_not_set_any_more_goes_and_comments_above_it_stay() -> None:
    expected = FILE.replace("      state_threshold_bang: 85   # was 80\n", "")

    assert expected == updated(FILE, btc(state_threshold_aim=75, position_size_bang=0.25))


def test_what_is_new_comes_beside_its_neighbour_and_separates_no_comment_from_its_value() -> None:
    text = updated(
        FILE,
        btc(state_threshold_bang=85, state_threshold_aim=75, position_size_bang=0.25, state_threshold_loaded=40,
            position_size_aim=0.2),
    )  # fmt: skip

    assert (
        "      'state_threshold_aim': 7.5e1\n"
        "      state_threshold_loaded: 40  # Loaded threshold (confidence, 0 to 100)\n"
        "\n"
        "      # Half.\n"
        "      position_size_bang: 0.25\n"
        "      position_size_aim: 0.2  # Position size (aim) (percent of equity, 0 to 100)\n"
        "  eth:"
    ) in text


def test_a_layer_that_sets_nothing_any_more_goes_and_one_that_is_new_comes() -> None:
    text = updated(FILE, {"BTC": ASSETS["BTC"], "SOL": {"settings": {"state_threshold_bang": 70}}})

    _, _, rest = FILE.partition("      position_size_bang: 0.25\n")
    assert rest.startswith("  eth")
    assert (
        FILE.removesuffix(rest)
        + "  SOL:\n    settings:\n      state_threshold_bang: 70  # Bang threshold (confidence, 0 to 100)\n"
        + "\n# All of them:\n# The end.\n"
    ) == text


def test_a_mapping_in_brackets_that_says_something_else_becomes_a_block() -> None:
    text = updated(FILE, {"global": GLOBAL, "BTC": ASSETS["BTC"], "ETH": {"settings": {"state_threshold_bang": 91}}})

    assert (
        FILE.replace(
            "  eth: {bang_threshold: 90}  # small letters\n",
            "  eth:\n    settings:\n      state_threshold_bang: 91  # Bang threshold (confidence, 0 to 100)\n",
        )
        == text
    )


def test_a_text_of_several_lines_is_exchanged_as_a_whole() -> None:
    text = updated(FILE, {**ASSETS, "global": {**GLOBAL, "description": "By Bob: \u2028 \U0001f680 #1"}})

    assert (
        FILE.replace("  description: >-\n    Made by\n    Ann\n", '  description: "By Bob: \\u2028 \U0001f680 #1"\n')
        == text
    )


def test_the_header_says_what_it_was_exported_from() -> None:
    old = header(3, "2025-01-01T00:00:00.000Z")
    documents: dict[str, Document] = {"global": GLOBAL}

    assert write(tree(documents), NOW) == updated("# Mine\n" + write(tree(documents), old), documents).removeprefix(
        "# Mine\n"
    )


@pytest.mark.parametrize(
    "text",
    ["format: 1", "---\nformat: 1\n...\n", "{}", '{"format": 1, "global": {"settings": {}}}', "format: 1\nglobal:\n",
     "format: 1\nglobal: {}\nassets:\n  BTC: ~\n  DOGE:\n    - 1\n    - 2\n", "\n# nothing yet\n"],
)  # fmt: skip
def test_whatever_a_file_looks_like_it_says_what_is_in_force_afterwards(text: str) -> None:
    documents = {"global": GLOBAL, "BTC": ASSETS["BTC"]}

    assert tree(documents) == read_yaml(updated(text, documents), "f")[0].document()


@pytest.mark.parametrize("text", ["? format\n: 1\n", "format: 1\nglobal: {a: 1,\n  b: 2}\n assets: {}\n"])
def test_what_cannot_be_edited_is_refused(text: str) -> None:
    with pytest.raises(FileUnreadable):
        updated(text, {"global": GLOBAL})


def partly(document: Document, drawn: set[str]) -> Document:
    """Some values of a configuration, and those that are not at their default."""
    found = leaves(document)
    default = leaves(DEFAULTS)
    return document_of({path: value for path, value in found.items() if path in drawn or value != default[path]})


LAYERS = st.dictionaries(
    st.sampled_from(["global", "BTC", "ETH", "1INCH", "NO", "X.Y-Z_1"]),
    st.tuples(
        configurations().map(lambda each: each.model_dump(exclude_none=True)),
        st.sets(st.sampled_from(sorted(leaves(DEFAULTS)))),
        st.text(max_size=40),
    ).map(lambda drawn: {**partly(drawn[0], drawn[1]), **({"description": drawn[2]} if drawn[2] else {})}),
)


@given(LAYERS)
def test_any_layers_are_read_as_they_were_written(layers: dict[str, Document]) -> None:
    node, flaws = read_yaml(write(tree(layers), NOW), "f")

    assert [] == flaws
    assert tree(layers) == node.document()
    assert repr(leaves(tree(layers))) == repr(leaves(node.document())), "80 stays 80, and 80.0 stays 80.0"


def commented(text: str, places: list[int]) -> tuple[str, dict[str, list[str]]]:
    """The text with comments above some lines; and by the path of a line, those above it."""
    lines, above = [], dict[str, list[str]]()
    path: list[str] = []
    for number, line in enumerate(text.splitlines()):
        name = re.match(r'( *)("?[A-Za-z0-9._-]+"?):', line)
        if name is not None:
            path = [*path[: len(name[1]) // 2], name[1 + 1].strip('"')]
        for count in range(places.count(number) if name is not None else 0):
            lines.append(f"{' ' * (number % 5)}# note {number} {count}")
            above.setdefault("/".join(path), []).append(lines[-1])
        lines.append(line)
    return "\n".join(lines) + "\n", above


def paths_in(values: dict[str, Any], prefix: str = "") -> set[str]:
    found = set()
    for name, value in values.items():
        found |= {prefix + name}
        if isinstance(value, dict):
            found |= paths_in(value, f"{prefix}{name}/")
    return found


@given(LAYERS, LAYERS, st.lists(st.integers(0, 60), max_size=12))
def test_comments_stay_above_what_they_are_about(
    before: dict[str, Document], after: dict[str, Document], places: list[int]
) -> None:
    text, above = commented(write(tree(before), NOW), places)
    lines = updated(text, after).splitlines()

    assert tree(after) == read_yaml("\n".join(lines), "f")[0].document()
    for path in paths_in(tree(after)) & above.keys():
        first = lines.index(above[path][0])
        *notes, below = lines[first : first + len(above[path]) + 1]
        assert above[path] == notes
        assert path.rpartition("/")[2] == below.strip().replace('"', "").partition(":")[0]
