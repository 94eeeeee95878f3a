"""Killable child processes for checks that can hang or crash (math, and user rewards with `isolated=True`).

`server.ChildServer` lives in the pool actor. It starts one template process (`template.py`), which imports
and warms everything once and then forks a worker in a few milliseconds whenever the last one was killed,
died or served its share. A check is one request to the worker with a deadline held by the parent; at the
deadline the worker is killed through its pidfd. Nothing depends on a signal handler or on the checked code
giving up the interpreter lock.
"""
