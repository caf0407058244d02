"""What people read: the README of the results, and the results in the project's README."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from baselines.result_table import ResultTable, markdown
from dexgrasp_envs.errors import ConfigError
from dexgrasp_envs.tiers import TIERS

BEGIN = "<!-- results: begin (written by benchmark.report; edit results/notes.md in its place) -->"
END = "<!-- results: end -->"
_COSTS = ["steps (M)", "minutes"]


@dataclass(frozen=True)
class Section:
    """One part of the results."""

    title: str
    """Heading, under which notes.md may have remarks."""
    tables: Sequence[ResultTable]
    """Its tables."""
    figures: dict[str, str] = field(default_factory=dict)
    """File name in figures/ -> what it shows."""
    notes: Sequence[str] = ()
    """Remarks of its records."""


def read_notes(path: Path, titles: Sequence[str]) -> dict[str, str]:
    """Remarks by title from a Markdown file with a heading `## TITLE` over each; those before the first have title "".

    Raises:
        ConfigError: A heading is no title of a section.
    """
    notes: dict[str, list[str]] = {"": []}
    title = ""
    fenced = False
    for line in path.read_text("utf-8").splitlines() if path.exists() else []:
        fenced ^= line.startswith("```")
        if line.startswith("## ") and not fenced:
            title = line.removeprefix("## ").strip()
            if title not in titles:
                raise ConfigError(f"{path} has the heading {title!r}; valid are {', '.join(titles)}")
            notes.setdefault(title, [])
        else:
            notes[title].append(line)
    return {title: "\n".join(lines).strip() for title, lines in notes.items()}


def results_page(sections: Sequence[Section], notes: dict[str, str], command: str) -> str:
    """`results/README.md`."""
    parts = ["# Results", f"Written by `{command}` from the records in `raw/`; remarks are in `notes.md`."]
    if notes.get(""):
        parts.append(notes[""])
    for section in sections:
        parts.append(f"## {section.title}")
        for table in section.tables:
            parts += [f"{table.title} (`tables/{table.name}.*`):", table.markdown().strip()]
        parts += [f"![{caption}](figures/{file})" for file, caption in section.figures.items()]
        parts += section.notes
        if notes.get(section.title):
            parts.append(notes[section.title])
    return "\n\n".join(parts) + "\n"


def readme_section(
    success: ResultTable | None, targets: ResultTable | None, folder: str, figures: Mapping[str, str]
) -> str:
    """The results in short; `folder` is that of the results as seen from the README."""
    parts = []
    if success is not None:
        columns, rows = success_by_tier(success)
        parts.append("Success at the end of the episode, per cent [Wilson 95 % interval], mean actions, by tier:")
        parts.append(markdown(columns, rows).strip())
    parts += [f"![{caption}]({folder}/figures/{file})" for file, caption in figures.items()]
    if targets is not None:
        parts.append(targets.title + ":")
        parts.append(markdown(list(targets.shown.columns), targets.shown.to_numpy().tolist()).strip())
    parts.append(f"The command behind every row, all tables and remarks: [{folder}/]({folder}/README.md).")
    return "\n\n".join(parts)


def success_by_tier(success: ResultTable) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of the success table with one row a policy, and a column for each tier that occurs."""
    # Rows of what was not measured have no tier.
    tiers = [tier for tier in TIERS if tier in set(success.shown["tier"])]
    rows: dict[str, dict[str, str]] = {}
    for row in success.shown.to_dict("records"):
        tier = row["tier"] or tiers[0]
        name = row["policy"] if tier == tiers[0] else row["policy"].removesuffix(f"_{tier}")
        shared = {"policy": name, "observes": row["observes"], **{cost: row[cost] for cost in _COSTS}}
        rows.setdefault(name, shared)[tier] = row["success_at_end"]
    columns = ["policy", "observes", *tiers, *_COSTS]
    return columns, [[row.get(column, "") for column in columns] for row in rows.values()]


def put_between_marks(text: str, section: str, path: Path) -> str:
    """`text` with `section` between the marks.

    Raises:
        ConfigError: There is not one mark of each kind, in order.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ConfigError(f"{path} must hold the line\n{BEGIN}\nonce, and after it once the line\n{END}")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{section}\n\n{END}{rest.partition(END)[2]}"
