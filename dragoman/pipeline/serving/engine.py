"""vLLM's own OpenAI server as a child process, with the settings that the house's engines have.

`vllm serve` needs a console script that its CPU build lacks; the module is the same. The child is ended with its whole
group when the service ends, and by the kernel when the service is killed.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from cluster.head import free_ports
from dragoman.pipeline.serving.translating import ServiceError

START_S = 900.0
LOOPBACK = "127.0.0.1"


class EngineServer:
    """A model behind `http://127.0.0.1:PORT/v1`."""

    def __init__(self, folder: Path, name: str, context: int, *, on_gpu: bool, arguments: Sequence[str] = ()) -> None:
        (port,) = free_ports(1)
        self.name, self.endpoint = name, f"http://{LOOPBACK}:{port}/v1"
        command = [
            sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder),
            "--served-model-name", name, "--host", LOOPBACK, "--port", str(port), "--max-model-len", str(context),
            *(() if on_gpu else _ON_CPU), "--max-num-batched-tokens", str(max(4096, context)), *arguments,
        ]  # fmt: skip
        environment = {**os.environ, **({} if on_gpu else _CPU_VARIABLES), "VLLM_NO_USAGE_STATS": "1"}
        self.process = subprocess.Popen(command, env=environment, start_new_session=True, preexec_fn=_end_with_parent)

    def wait(self) -> None:
        """Until it answers; ServiceError when it ends or takes too long."""
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise ServiceError(f"the model's server ended with {self.process.returncode}; its reason is above", 500)
            if self.answers():
                return
            time.sleep(0.5)
        raise ServiceError(f"the model's server did not answer within {START_S:g} s; look at its output above", 500)

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            with urllib.request.urlopen(self.endpoint.removesuffix("/v1") + "/health", timeout=2) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def close(self) -> None:
        """End it and everything under it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(10)


def _end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the service dies, however it dies."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


_ON_CPU = (
    "--dtype", "float32", "--enforce-eager", "--kv-cache-memory-bytes", str(1 << 30), "--block-size", "32",
    # a seeded request whose prompt is cut in two ends the engine on CPU (dragoman.rollout.worker)
    "--no-enable-chunked-prefill",
)  # fmt: skip
_CPU_VARIABLES = {
    "VLLM_CPU_OMP_THREADS_BIND": "nobind", "TORCHDYNAMO_DISABLE": "1", "TOKENIZERS_PARALLELISM": "false",
}  # fmt: skip
