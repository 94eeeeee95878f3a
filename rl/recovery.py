"""What a run came through: how many workers were replaced since the last step, by role, for `metrics.jsonl`."""

from dataclasses import dataclass, field


@dataclass
class Recoveries:
    """Counts the replacements of parts that know their own, and what was left out because it could not be answered."""

    parts: dict[str, object]
    """By role; a part without `restarts` has none"""
    left_out: int = 0
    """Prompts, since the last step"""
    _seen: dict[str, int] = field(default_factory=dict)

    def since_last(self) -> dict[str, float]:
        """`restarts/<role>` of roles that had some since the last call, and `prompts_left_out` if there were any."""
        found: dict[str, float] = {}
        for role, part in self.parts.items():
            count = int(getattr(part, "restarts", 0))
            if count > self._seen.get(role, 0):
                found[f"restarts/{role}"] = float(count - self._seen.get(role, 0))
            self._seen[role] = count
        if self.left_out:
            found["prompts_left_out"] = float(self.left_out)
        self.left_out = 0
        return found
