"""Run untrusted Python so that it can neither harm the machine nor decide its own verdict.

    Job -> Sandbox.run -> Verdict
           harness (this process, holds the expected values)
             `- zygote: one Python inside bubblewrap (new namespaces, an empty network, read-only root)
                  `- job: cloned from the zygote into user, pid, mount and ipc namespaces of its own;
                          small tmpfs, rlimits, no capabilities, no-new-privileges, seccomp allow-list; talks
                          over pipes; killed through a pidfd

Expected values never enter the job. It sends back plain values, and the harness compares them (compare.py).
Start-up probes the machine and runs a self-test of escapes and forgeries; where a probe fails the sandbox
refuses to start (`SandboxUnavailable`). The kernel is shared with the host: this is not isolation of the
grade of a virtual machine.
"""

from rewards.sandbox.runner import Sandbox
from rewards.sandbox.verdicts import Case, Job, Limits, Reason, Verdict

__all__ = ["Case", "Job", "Limits", "Reason", "Sandbox", "Verdict"]
