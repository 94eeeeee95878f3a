"""A model as a translation service: vLLM's own server behind the interfaces that translation tools speak.

POST /translate, /detect, GET /languages          LibreTranslate's
POST /v2/translate, /v2/glossaries, ...           DeepL's
anything below /v1                                vLLM's own (OpenAI's), passed on as it is

request -> texts -> our wording for each (with glossary and address as rules) -> vLLM's chat/completions
        -> placeholders and tags checked, asked again where one was lost -> reply in the caller's form
"""

from dragoman.pipeline.serving.app import application
from dragoman.pipeline.serving.engine import EngineServer
from dragoman.pipeline.serving.translating import Job, ServiceError, Translated, TranslationService

__all__ = ["EngineServer", "Job", "ServiceError", "Translated", "TranslationService", "application"]
