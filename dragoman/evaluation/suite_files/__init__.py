"""Suites described by a small YAML file each: where the rows are, how they are asked, what is measured.

    FILE.yaml -> SuiteSettings -> rows of local files, data sets or packages -> prompts -> checks -> LoadedSuite

`load` reads and `checks` looks at the content before anything is generated; `shipped/` holds suites whose data arrive
as packages.
"""

from dragoman.evaluation.suite_files.loading import LoadedSuite, SuiteFileError, load_suite_files
from dragoman.evaluation.suite_files.settings import MetricEntry, SuiteSettings

__all__ = ["LoadedSuite", "MetricEntry", "SuiteFileError", "SuiteSettings", "load_suite_files"]
