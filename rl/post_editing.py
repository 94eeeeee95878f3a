"""Post-editing inside reinforcement learning: translations that a step sampled are what the next one improves.

    step v: translations -> one draft a group -> step v + 1: the post-editing prompt "source, draft -> better
                                                  translation", rewarded as the translation itself is

Both tasks stand in one batch (PEGRL, arXiv 2602.03352): the translation task gets what post-editing learns about local
faults, and the drafts are always the present policy's own. It is one turn, so nothing else in the run changes. A visit
of the prompt stream (`rl.prompts`) becomes one of post-editing by its number alone, so a run is repeatable; the drafts
are part of its snapshot.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from pydantic import Field, field_validator

from dragoman.data.rows import EncodedPrompt, Message, Prompt
from dragoman.settings import Settings
from dragoman.text.languages import language_name
from rl.groups import PromptVisit, ScoredGroup
from rl.prompts import PromptSource

TASK = "post_editing"
TEMPLATE = (
    "Here is a text in {source_language} and a draft of its translation into {target_language}. Improve the draft "
    "where it is wrong or reads badly, and answer with the {target_language} translation only."
    "\n\n{source}\n\n{draft}"
)
FIELDS = ("source", "draft", "source_language", "target_language")


class PostEditingSettings(Settings):
    """Drafts of one step as prompts of the next."""

    share: float = Field(0.0, ge=0, lt=1)
    """Of the prompts that post-edit, where there are drafts; 0 = none."""
    weight: float = Field(1.0, gt=0, le=100)
    """Of their credit beside that of all other prompts."""
    template: str = TEMPLATE
    """The prompt; {source}, {draft}, {source_language} and {target_language} are filled in, languages by their English
    names."""

    @field_validator("template")
    @classmethod
    def _names_its_fields(cls, template: str) -> str:
        if "{source}" not in template or "{draft}" not in template:
            raise ValueError("must hold {source} and {draft}")
        try:
            template.format(**dict.fromkeys(FIELDS, ""))
        except (LookupError, ValueError) as error:
            raise ValueError(
                f"cannot be filled in ({error!r}); it may hold {', '.join(FIELDS)}, each in braces"
            ) from None
        return template


@dataclass
class Drafts:
    """What a snapshot keeps of post-editing."""

    waiting: list[EncodedPrompt] = field(default_factory=list)
    """Prompts from the last step's drafts that no visit took yet"""
    taken: dict[int, EncodedPrompt] = field(default_factory=dict)
    """By visit, for those that a killed run would ask again"""


class PostEditedPrompts(PromptSource):
    """Prompts of a data file, and drafts of the last step's translations among them.

    encode: token ids of a chat; longest: prompts of more tokens are left out.
    """

    def __init__(
        self,
        prompts: Sequence[Prompt],
        token_ids: Sequence[Sequence[int]],
        seed: int,
        settings: PostEditingSettings,
        encode: Callable[[Sequence[Message]], Sequence[int]],
        longest: int,
    ) -> None:
        super().__init__(prompts, token_ids, seed)
        self.settings, self.encode, self.longest = settings, encode, longest
        self.drafts = Drafts()

    def visit(self, number: int) -> PromptVisit:
        drafts = self.drafts
        chance = Random(f"{self.seed}/post-editing/{number}").random()
        if number not in drafts.taken and drafts.waiting and chance < self.settings.share:
            drafts.taken[number] = drafts.waiting.pop(0)
        if number not in drafts.taken:
            return super().visit(number)
        encoded = drafts.taken[number]
        return PromptVisit(number, encoded.prompt, encoded.token_ids, self.settings.weight)

    def observe(self, groups: Sequence[ScoredGroup], running: Collection[int]) -> None:
        """Groups that a step trained on, and the visits that are being sampled: older drafts are forgotten."""
        found = (self._post_editing(group) for group in groups)
        self.drafts.waiting = [encoded for encoded in found if encoded is not None]
        self.drafts.taken = {number: e for number, e in self.drafts.taken.items() if number in running}

    def _post_editing(self, group: ScoredGroup) -> EncodedPrompt | None:
        """The prompt that improves one answer of a translation's group, drawn at random; None where there is none."""
        prompt = group.visit.prompt
        texts = [s.completion.text for s in group.samples if s.completion.finish_reason == "stop"]
        drafts = sorted({text for text in texts if text.strip()})
        if prompt.pair is None or prompt.task == TASK or not drafts:
            return None
        draft = Random(f"{self.seed}/draft/{group.visit.number}").choice(drafts)
        asked = post_editing_prompt(prompt, draft, self.settings.template)
        ids = tuple(self.encode(asked.messages))
        return EncodedPrompt(asked, ids) if len(ids) <= self.longest else None


def post_editing_prompt(prompt: Prompt, draft: str, template: str) -> Prompt:
    """The prompt that asks for a better translation than a draft; rewards and columns are the translation's."""
    assert prompt.pair is not None
    text = template.format(
        source=prompt.pair.source, draft=draft, source_language=language_name(prompt.pair.source_language),
        target_language=language_name(prompt.pair.target_language),
    )  # fmt: skip
    messages = ({"role": "user", "content": text},)
    name = f"{prompt.id}/{TASK}"
    columns = {**prompt.columns, "id": name, "messages": messages, "draft": draft}
    return replace(prompt, id=name, messages=messages, columns=columns, task=TASK)
