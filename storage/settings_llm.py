"""The optional helper for reading: an OpenAI-compatible endpoint. Without the section nothing ever leaves the house."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

LOOPBACK = ("http://127.0.0.1", "http://localhost", "http://[::1]")


def _secure(url: str) -> str:
    host_follows = ("", ":", "/")
    plain = any(url.startswith(one) and url.removeprefix(one)[:1] in host_follows for one in LOOPBACK)
    if not url.startswith("https://") and not plain:
        raise ValueError('must begin with "https://" (plain http only to this machine)')
    return url


class LlmSettings(BaseModel):
    """``base_url`` ends before ``/chat/completions``, as such services give it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: Annotated[str, AfterValidator(_secure)]
    api_key: SecretStr = SecretStr("")
    model: str = Field(min_length=1)
