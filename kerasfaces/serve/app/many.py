"""The tab for many pictures: a table, and the same as CSV."""

import csv
import io
from typing import Any

import streamlit as st

from kerasfaces.core.texts import plain
from kerasfaces.serve.answer import Answer, Options
from kerasfaces.serve.app import uploads
from kerasfaces.serve.app.settings import Settings
from kerasfaces.serve.app.shared import Loaded
from kerasfaces.serve.pictures import Named

COLUMNS = ("name", "verdict", "score", "logit", "reason", "doubt", "sha256")
_ANSWERS = "visitor: many"


def show(one: Loaded, options: Options, settings: Settings) -> None:
    """Ask for pictures, judge them one by one, offer the table."""
    files = st.file_uploader(
        "Drop pictures here, or choose some",
        accept_multiple_files=True,
        key="uploads",
        help=f"At most {settings.files} pictures of {settings.upload_mb} MB and "
        f"{settings.megapixels} megapixels each. They stay in memory.",
    )
    if len(files) > settings.files:
        st.error(
            f"{len(files):,} pictures; this app judges at most {settings.files} at a time. "
            "For more: kerasfaces predict RUN FOLDER --csv FILE."
        )
        return
    known: dict[Any, Answer] = st.session_state.setdefault(_ANSWERS, {})
    rows, bar = [], st.empty()
    for number, file in enumerate(files, 1):
        key = (file.file_id, str(one.run.path), options)
        if key not in known:
            bar.progress(number / len(files), f"{number} of {len(files)}")
            data = file.getvalue()
            known[key] = uploads.refusal(file.name, data, settings) or one.answer(
                Named(file.name, data), options
            )
        rows.append(known[key])
    bar.empty()
    if not rows:
        return
    counts = {
        name: sum(row.verdict == name for row in rows)
        for name in ("real", "fake", "unsure", "unreadable")
    }
    st.text(", ".join(f"{n} {name}" for name, n in counts.items() if n))
    values = [row.to_dict() for row in rows]
    st.dataframe(
        [{name: each[name] for name in COLUMNS[:6]} for each in values],
        hide_index=True,
        column_config={"score": st.column_config.NumberColumn(format="%.4f")},
    )
    st.download_button("Download (CSV)", table(rows), "answers.csv", "text/csv")


def table(answers: list[Answer]) -> str:
    """Return answers as CSV; a name that a spreadsheet would compute is marked as text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for answer in answers:
        values = answer.to_dict()
        values["name"] = harmless(values["name"])
        writer.writerow([values[name] for name in COLUMNS])
    return text.getvalue()


def harmless(name: str) -> str:
    """Return a file name as a spreadsheet shows it instead of computing it."""
    return ("'" if name[:1] in "=+-@" else "") + plain(name)
