"""The report of a run: one HTML file, no network, readable on a phone and in the dark.

run folder -> RunRecord -> tables, sentences, charts, viewer data -> page/report.html.j2 -> report.html
"""

from dragoman.evaluation.report.page import render_report, write_report
from dragoman.evaluation.report.run_record import RunRecord, RunRecordError, read_run
from dragoman.evaluation.report.side_by_side import write_side_by_side

__all__ = ["RunRecord", "RunRecordError", "read_run", "render_report", "write_report", "write_side_by_side"]
