"""Result records: one JSON file for what one evaluation or benchmark suite measured, in the format of
`record.schema.json`, which is checked when a record is written and when it is read.
"""

import json
import math
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from dexgrasp_envs.errors import ConfigError, DexGraspError

from .evaluation import RATES
from .provenance import provenance
from .replacing import replacing

PROJECT = "dexgrasp_envs"
"""Tells our records from other JSON."""
SCHEMA = 2
"""Version of the format."""
Record = dict[str, Any]
"""A record as `record.schema.json` describes it."""


class RecordError(DexGraspError, ValueError):
    """A record is unreadable, foreign, of another version, incomplete, or contradicts itself."""


def new_record(
    kind: str,
    metrics: dict[str, Any],
    config_hashes: dict[str, str],
    seed: int | None,
    module: str,
    arguments: Sequence[str] | None = None,
) -> Record:
    """The parts that every record has.

    Args:
        kind: One of those that the schema lists.
        metrics: What was measured.
        config_hashes: Hash of the configuration by environment id.
        seed: Of what was measured, where there is one.
        module: As in `python -m module ...`.
        arguments: Of the command that writes the record again; those of the command line at hand by default.
    """
    return {
        "project": PROJECT,
        "schema": SCHEMA,
        "kind": kind,
        "seed": seed,
        "config_hashes": config_hashes,
        **provenance(module, arguments),
        "metrics": metrics,
    }


def write_record(path: Path, record: Record) -> None:
    """Write a record, making its folder; a record of the same name is replaced, as a whole or not at all.

    Raises:
        RecordError: It does not fit the schema; nothing was written.
    """
    try:
        text = json.dumps(record, indent=1, allow_nan=False) + "\n"
    except ValueError as error:
        raise RecordError(f"a record holds finite numbers only: {error}") from error
    validate(json.loads(text))
    with replacing(path) as partial:
        partial.write_text(text)


def read_record(path: Path) -> Record:
    """One record.

    Raises:
        RecordError: It is not valid; the message says why.
    """
    try:
        record: Record = json.loads(path.read_text("utf-8"), parse_constant=_finite, parse_float=_finite)
    except RecordError:
        raise
    except OSError as error:
        raise RecordError(f"cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"is no whole JSON: {error}") from error
    validate(record)
    return record


def read_records(folder: Path, tell: Callable[[str], None] | None = None) -> dict[str, Record]:
    """All valid records of a folder by file name, in the order of the names.

    Records that are not valid are skipped, each with a line to `tell` (by default, to stderr) that says why. Records of
    one kind, or of one policy, stay apart: each is named by its file. A copy of another record is skipped.

    Raises:
        ConfigError: There is no valid record.
    """
    if tell is None:
        tell = _to_stderr
    records: dict[str, Record] = {}
    skipped = 0
    for path in sorted(folder.glob("*.json"), key=lambda path: path.name):
        try:
            record = read_record(path)
            for name, other in records.items():
                if other == record:
                    raise RecordError(f"is a copy of {name}.json")
            records[path.stem] = record
        except RecordError as error:
            skipped += 1
            tell(f"{path} is skipped: it {error}")
    if not records:
        raise ConfigError(
            f"there is no valid record in {folder} ({skipped} skipped); write some with "
            f"`python -m benchmark.run success --out {folder}`"
        )
    return records


def validate(record: Any) -> None:
    """Raise RecordError, with the first reason found, unless `record` is valid and agrees with itself."""
    if not isinstance(record, dict) or record.get("project") != PROJECT:
        raise RecordError(f'is not a record of this project: "project" is not "{PROJECT}"')
    if record.get("schema") != SCHEMA:
        raise RecordError(f"has schema version {record.get('schema')}, expected {SCHEMA}; write it anew by its command")
    error = next(_validator().iter_errors(record), None)
    if error is not None:
        raise RecordError(f"breaks the schema at {error.json_path}: {_shortened(error.message)}")
    if record["kind"] == "evaluation":
        _require_agreement(record)


@cache
def _validator() -> Any:
    schema = json.loads(Path(__file__).with_name("record.schema.json").read_text("utf-8"))
    return jsonschema.Draft202012Validator(schema)


def _require_agreement(record: Record) -> None:
    """The rates of an evaluation are those of its episodes."""
    metrics, episodes = record["metrics"], record["episodes"]
    for name, values in episodes.items():
        if len(values) != metrics["episodes"]:
            raise RecordError(f"tells {len(values)} values of {name} for {metrics['episodes']} episodes")
    for name in RATES:
        rate = sum(episodes[name]) / metrics["episodes"]
        if not math.isclose(rate, metrics[name]["rate"], abs_tol=1e-9):
            raise RecordError(f"says {metrics[name]['rate']} for {name}, but its episodes say {rate}")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise RecordError(f"holds {text}; only finite numbers can be compared")
    return value


def _shortened(message: str) -> str:
    return message if len(message) <= 200 else message[:120] + " ... " + message[-70:]


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr)
