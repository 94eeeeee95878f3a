"""What a job does once it is walled in. Everything here shares a process with untrusted code: nothing it
says is believed further than "this is the answer".

Requests come on descriptor 3, replies go to descriptor 4; the program's own input and output are 0 and 1.
"""

import ast
import atexit
import builtins
import io
import os
import resource
import sys
import threading
import types
import typing
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from rewards.sandbox.inside.wire import UnsupportedValue, decode, encode, read_frame, write_frame

REQUESTS, REPLIES = 3, 4
SCRIPT = "solution.py"
TYPING = {name: getattr(typing, name) for name in typing.__all__}
"""Names that answers in the manner of LeetCode use without importing them"""
DEVICES = {
    "/dev/stdin": 0,
    "/dev/stdout": 1,
    "/dev/fd/0": 0,
    "/dev/fd/1": 1,
    "/proc/self/fd/0": 0,
    "/proc/self/fd/1": 1,
}


def run(streams: dict[str, io.TextIOWrapper]) -> None:
    """Read one payload and do what its mode says, with `streams` as the program's own."""
    payload = read_frame(REQUESTS)
    for name, stream in streams.items():
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.argv = [SCRIPT]
    _MODES[payload["mode"]](payload)
    for output in (sys.stdout, streams["stdout"]):  # a program may have put something else in its place
        with suppress(AttributeError, OSError, ValueError):
            output.flush()


def standard_streams() -> dict[str, io.TextIOWrapper]:
    """Of descriptors 0, 1 and 2, whatever they are by the time of use. Made once: every page that a job writes first
    has to be copied, and making them costs more such pages than using them.
    """
    return {
        "stdin": io.TextIOWrapper(io.BufferedReader(io.FileIO(0, "r", closefd=False)), "utf-8"),
        "stdout": io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)), "utf-8", write_through=False),
        "stderr": io.TextIOWrapper(io.BufferedWriter(io.FileIO(2, "w", closefd=False)), "utf-8"),
    }


def furnish() -> None:
    """Give builtins what programs expect of them: `exit` and `quit`, which come with `site`, and /dev/stdin by name,
    which leads through a /proc that is not there. Who asks for a larger stack keeps the one there is.
    """
    vars(builtins).update(exit=sys.exit, quit=sys.exit)
    opened = io.open

    def open_by_name(file: Any, *args: Any, **kwargs: Any) -> Any:
        path = os.fspath(file) if isinstance(file, os.PathLike) else file
        return opened(DEVICES.get(path, file) if isinstance(path, str) else file, *args, **kwargs)

    limited = resource.setrlimit
    vars(resource)["setrlimit"] = lambda name, limits: None if name == resource.RLIMIT_STACK else limited(name, limits)
    vars(builtins)["open"] = vars(io)["open"] = open_by_name


def _load(code: str, name: str) -> dict[str, Any]:
    module = sys.modules[name] = types.ModuleType(name)
    module.__dict__.update(TYPING, __file__=SCRIPT)
    exec(compile(code, "<solution>", "exec"), module.__dict__)
    return module.__dict__


def _describe(error: BaseException) -> dict[str, str]:
    return {"type": type(error).__name__, "message": str(error)[:300]}


def _find(namespace: dict[str, Any], entry: str) -> Callable[..., Any]:
    """`name`, `Class.method` of a fresh instance, or `method` of a class called Solution."""
    owner, _, method = entry.rpartition(".")
    if not owner and entry not in namespace and hasattr(namespace.get("Solution"), entry):
        owner = "Solution"
    if owner:
        return getattr(namespace[owner](), method)
    if entry not in namespace:
        raise NameError(f"name {entry!r} is not defined")
    return namespace[entry]


def _load_or_report(payload: dict[str, Any]) -> dict[str, Any] | None:
    try:
        namespace = _load(payload["code"], "solution")
    except SystemExit as error:
        if error.code not in (None, 0):
            write_frame(REPLIES, {"load_error": _describe(error)})
            return None
        namespace = sys.modules["solution"].__dict__  # a script that ends with exit(): its functions are there
    except BaseException as error:
        write_frame(REPLIES, {"load_error": _describe(error)})
        return None
    write_frame(REPLIES, {"loaded": True})
    return namespace


def _answer(namespace: dict[str, Any], entry: str, call: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"value": encode(_find(namespace, entry)(*decode(call["args"]), **decode(call["kwargs"])))}
    except UnsupportedValue as error:
        return {"unsupported": str(error)[:100]}
    except BaseException as error:
        return {"error": _describe(error)}


def _run_calls(payload: dict[str, Any]) -> None:
    namespace = _load_or_report(payload)
    if namespace is None:
        return
    for index, call in enumerate(payload["calls"]):
        write_frame(REPLIES, {"index": index, **_answer(namespace, payload["entry"], call)})


def _serve_calls(payload: dict[str, Any]) -> None:
    """The untrusted half of assert mode: answer calls by name until the harness closes the pipe."""
    namespace = _load_or_report(payload)
    if namespace is None:
        return
    while (request := read_frame(REQUESTS)) is not None:
        write_frame(REPLIES, _answer(namespace, request["name"], request))


def _run_program(payload: dict[str, Any]) -> None:
    """stdio mode: the program's output goes to descriptor 1; only how it ended is said here."""
    try:
        try:
            _load(payload["code"], "__main__")
        finally:
            _leave()
    except SystemExit as error:
        if error.code not in (None, 0):
            write_frame(REPLIES, {"error": _describe(error)})
    except BaseException as error:
        write_frame(REPLIES, {"error": _describe(error)})


def _leave() -> None:
    """What Python does when a program is through: waits for its threads, then calls what it registered for the end."""
    while running := [t for t in threading.enumerate() if t is not threading.current_thread() and not t.daemon]:
        running[0].join()
    atexit._run_exitfuncs()


class RemoteUnsupported(Exception):
    """The solution returned something that is not plain data."""


def _proxy(name: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        write_frame(REPLIES, {"call": {"name": name, "args": encode(list(args)), "kwargs": encode(kwargs)}})
        answer = read_frame(REQUESTS)
        if answer is None:
            os._exit(3)
        if "value" in answer:
            return decode(answer["value"])
        if "unsupported" in answer:
            raise RemoteUnsupported(answer["unsupported"])
        raise _rebuilt(answer["error"])

    call.__name__ = name
    return call


def _rebuilt(described: dict[str, str]) -> Exception:
    """The exception the solution raised, when it is a built-in one (tests may expect it)."""
    kind = getattr(builtins, described["type"], None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            return kind(described["message"])
        except TypeError:
            pass
    return RuntimeError(described["type"] + ": " + described["message"])


def _free_names(tree: ast.Module) -> set[str]:
    """Names the tests use but neither define nor import, and that are no built-ins: those of the solution."""
    used: set[str] = set()
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
    return {name for name in used - bound if not hasattr(builtins, name)}


def _run_tests(payload: dict[str, Any]) -> None:
    """The trusted half of assert mode: every top-level assert, `check(...)` call and test function is one test."""
    tree = ast.parse(payload["tests"])
    namespace: dict[str, Any] = {"__name__": "tests", "__builtins__": builtins}
    namespace.update({name: _proxy(name) for name in _free_names(tree)})
    if payload["entry"]:
        namespace.setdefault("candidate", _proxy(payload["entry"]))
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    called = {node.value.func.id for node in tree.body if _is_named_call(node)}
    extra = [name + "()" for name in functions if name.startswith("test") and name not in called]
    if "check" in functions and "check" not in called:
        extra.append("check(candidate)")
    for node in [*tree.body, *(statement for text in extra for statement in ast.parse(text).body)]:
        counted = isinstance(node, ast.Assert) or _is_named_call(node)
        outcome = _run_statement(node, namespace)
        if counted or outcome["error"]:
            write_frame(REPLIES, {"test": outcome})
    write_frame(REPLIES, {"finished": True})


def _is_named_call(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name)


def _run_statement(node: ast.stmt, namespace: dict[str, Any]) -> dict[str, Any]:
    try:
        exec(compile(ast.Module([node], []), "<tests>", "exec"), namespace)
    except Exception as error:
        return {"passed": False, "error": _describe(error)}
    return {"passed": True, "error": None}


_MODES = {"call": _run_calls, "serve": _serve_calls, "stdio": _run_program, "tests": _run_tests}
