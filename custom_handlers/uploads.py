"""Images and files of a request to StackSpot's upload ids: a form first, then the storage (section 8, DOC-UP).

Off unless STACKSPOT_UPLOADS=true: StackSpot takes uploads by API from enterprise accounts only.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from litellm.exceptions import BadRequestError
from litellm.litellm_core_utils.prompt_templates.image_handling import async_convert_url_to_base64
from litellm.litellm_core_utils.url_utils import SSRFError, validate_url

from custom_handlers import transport
from custom_handlers.credentials import TokenSource
from custom_handlers.errors import BadRequest, BrokenAnswer, CredentialsRefused

# StackSpot's largest file, stated for knowledge sources (GAMBI).
MAX_FILE_BYTES = 10 * 1024 * 1024
# As in StackSpot's example for files of a chat; its unit is not told, seconds are likelier (GAMBI, POTENTII).
EXPIRATION = 60

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w=.+-]+)*;base64,(.*)", re.DOTALL)
_UNSAFE = re.compile(r"[^\w.-]+")

Part = tuple[int, int, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Uploads:
    """What turns file parts into upload ids; `enabled` and `fetch_images` are the operator's choice."""

    url: str
    tokens: TokenSource
    enabled: bool
    fetch_images: bool

    async def upload(
        self, parts: Sequence[Part], limits: transport.Limits
    ) -> tuple[list[str], dict[tuple[int, int], str]]:
        """The upload ids of `parts`, and a note for each part's place in the prompt. Raises StackSpotError."""
        ids: list[str] = []
        notes: dict[tuple[int, int], str] = {}
        if not parts:
            return ids, notes
        deadline = transport.Deadline(limits)
        for message, index, part in parts:
            where = f"messages[{message}].content[{index}]"
            if not self.enabled:
                raise BadRequest(
                    f"`{where}` is a file: this gateway takes text only (STACKSPOT_UPLOADS is off).", param=where
                )
            name, content = await self._file(part, where, number=len(ids) + 1)
            ids.append(await self._store(name, content, deadline))
            notes[message, index] = f"[attached file: {name}]"
        return ids, notes

    async def _file(self, part: Mapping[str, Any], where: str, number: int) -> tuple[str, bytes]:
        source = part.get("image_url") or part.get("file") or {}
        source = source if isinstance(source, Mapping) else {"url": source}
        address, name = source.get("url") or source.get("file_data"), source.get("filename")
        if not isinstance(address, str):
            raise BadRequest(f"`{where}` holds no data URL.", param=where)
        if address.startswith(("http://", "https://")):
            address = await self._remote(address, where)
        found = _DATA_URL.fullmatch(address)
        try:
            content = base64.b64decode(found[2], validate=True) if found else b""
        except binascii.Error:
            content = b""
        if not found or not content:
            raise BadRequest(f"`{where}` is not a data URL with base64 content.", param=where)
        if len(content) > MAX_FILE_BYTES:
            raise BadRequest(f"`{where}` is larger than StackSpot's limit of 10 MB.", param=where)
        given = name if isinstance(name, str) and name else f"file-{number}.{found[1].partition('/')[2]}"
        return _UNSAFE.sub("_", given)[-100:], content

    async def _remote(self, address: str, where: str) -> str:
        if not self.fetch_images:
            raise BadRequest(
                f"`{where}` is a remote address, which this gateway does not fetch (STACKSPOT_FETCH_IMAGES is off): "
                "send a data URL.",
                param=where,
            )
        try:
            # LiteLLM checks the same while its `user_url_validation` is on; here a private address is never fetched.
            await asyncio.to_thread(validate_url, address)
            return await async_convert_url_to_base64(address)
        except (SSRFError, BadRequestError, ValueError):
            raise BadRequest(f"`{where}` could not be fetched, or may not be.", param=where) from None

    async def _store(self, name: str, content: bytes, deadline: transport.Deadline) -> str:
        token = await self.tokens.token(deadline)
        try:
            form = await self._form(name, token, deadline)
        except CredentialsRefused:
            form = await self._form(name, await self.tokens.token(deadline, rejected=token), deadline)
        upload_id, url, fields = form.get("id"), form.get("url"), form.get("form")
        if not isinstance(upload_id, str) or not isinstance(url, str) or not isinstance(fields, dict):
            raise BrokenAnswer("StackSpot's upload form cannot be read.")
        if urlsplit(url).scheme != "https" and urlsplit(self.url).scheme == "https":
            raise BrokenAnswer("StackSpot's upload form names a storage without TLS.")
        await transport.fetch(
            transport.Request(url, form={str(k): str(v) for k, v in fields.items()}, file=(name, content)), deadline
        )
        return upload_id

    async def _form(self, name: str, token: str, deadline: transport.Deadline) -> dict[str, Any]:
        asked = {"file_name": name, "target_type": "CONTEXT", "expiration": EXPIRATION}
        headers = {"Authorization": f"Bearer {token}"}
        return await transport.fetch(
            transport.Request(f"{self.url}/v2/file-upload/form", headers=headers, json=asked), deadline
        )
