"""Everything about the machine and the Ray cluster: head, job submission, preflight, metrics, progress."""
