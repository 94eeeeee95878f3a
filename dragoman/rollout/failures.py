"""How rollouts fail. Infrastructure is replaced and asked again; a prompt that kills engine after engine is data."""

from dragoman.errors import DataFailure, DragomanError, InfraFailure


class RolloutFailure(DragomanError):
    """The rollout workers cannot go on, or received other weights than were sent."""


class WorkerLost(InfraFailure):
    """A rollout worker died, hung, or took too long; another one takes its place."""


class PoisonPrompt(DataFailure):
    """A prompt whose answers killed worker after worker, the last of them alone."""
