"""Evaluation: held-out suites, their metrics, paired significance tests, and the report of a run."""
