from pathlib import Path

import pytest

from docs.config_tables import MARKED, PAGES, TABLES, renewed

PAGES_WITH_TABLES = sorted(page for page in PAGES.glob("*.md") if MARKED.search(page.read_text()))


@pytest.mark.parametrize("page", PAGES_WITH_TABLES, ids=lambda page: page.name)
def test_the_tables_of_a_page_are_the_codes(page: Path) -> None:
    assert renewed(page.read_text()) == page.read_text(), "run `python -m docs.config_tables`"


def test_every_table_is_somewhere() -> None:
    shown = {name for page in PAGES_WITH_TABLES for _, name, _ in MARKED.findall(page.read_text())}
    assert shown == set(TABLES)


def test_what_stands_between_the_marks_is_replaced_and_nothing_else() -> None:
    page = "before\n<!-- table ids -->\nold\n<!-- end -->\nafter\n"
    new = renewed(page)
    assert new.startswith("before\n<!-- table ids -->\n| id |") and new.endswith(" |\n<!-- end -->\nafter\n")
    assert "old" not in new and renewed(new) == new


def test_an_unknown_table_is_an_error() -> None:
    with pytest.raises(KeyError, match="weather"):
        renewed("<!-- table weather -->\n<!-- end -->")
