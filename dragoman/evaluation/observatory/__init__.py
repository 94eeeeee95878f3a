"""The observatory: does a run earn what its reward says?

metrics.jsonl, samples.jsonl -> series over steps -> evidence that one moved -> alarms -> report, terminal, a run's log
"""
