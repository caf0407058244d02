"""A table of results: as people read it in Markdown and LaTeX, and with all digits in CSV."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

ENDINGS = (".md", ".csv", ".tex")
"""Of the files that a table is written to."""
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


@dataclass(frozen=True)
class ResultTable:
    """One table; each row has the command that measures it again."""

    name: str
    """Of its files."""
    title: str
    """What it shows, in a line."""
    shown: pd.DataFrame
    """Rows as people read them."""
    numbers: pd.DataFrame
    """The same rows with all digits, one number a cell."""
    commands: Sequence[str]
    """Command of each row; empty where none is known."""

    def markdown(self) -> str:
        """Markdown, with the commands in the last column."""
        rows = self.shown.to_numpy().tolist()
        commands = [f"`{command}`" if command else "" for command in self.commands]
        return markdown(
            [*self.shown.columns, "command"], [[*row, code] for row, code in zip(rows, commands, strict=True)]
        )

    def latex(self) -> str:
        """A `tabular` for the package booktabs, without the commands."""
        head, *rows = (
            " & ".join(map(_latex, line)) + r" \\" for line in [self.shown.columns, *self.shown.to_numpy().tolist()]
        )
        begin = rf"\begin{{tabular}}{{{'l' * self.shown.shape[1]}}}"
        lines = [f"% {self.title}", begin, r"\toprule", head, r"\midrule", *rows, r"\bottomrule", r"\end{tabular}"]
        return "\n".join(lines) + "\n"

    def csv(self) -> str:
        """CSV with all digits and the commands."""
        return self.numbers.assign(command=list(self.commands)).to_csv(index=False, lineterminator="\n")

    def write(self, folder: Path) -> None:
        """Write it in all three forms."""
        folder.mkdir(parents=True, exist_ok=True)
        for ending, text in zip(ENDINGS, (self.markdown(), self.csv(), self.latex()), strict=True):
            (folder / (self.name + ending)).write_text(text, encoding="utf-8", newline="\n")


def markdown(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(str(cell).replace("|", r"\|") for cell in line) + " |\n" for line in lines)


def _latex(cell: Any) -> str:
    return "".join(_LATEX.get(character, character) for character in str(cell))
