"""LiteLLM's classes that the handler is written against."""

from litellm.llms.custom_llm import CustomLLM
from litellm.types.utils import ModelResponse, ModelResponseStream

__all__ = ["CustomLLM", "ModelResponse", "ModelResponseStream"]
