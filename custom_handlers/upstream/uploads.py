"""Images and files of a request to StackSpot's upload ids: a form first, then the storage (section 8, DOC-UP).

Off unless STACKSPOT_UPLOADS=true: StackSpot takes uploads by API from enterprise accounts only.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from custom_handlers.core.errors import AuthenticationError, BadRequestError, InvalidResponseError
from custom_handlers.http import client
from custom_handlers.http.error_mapping import Service
from custom_handlers.http.timeouts import Deadline
from custom_handlers.upstream import remote_files
from custom_handlers.upstream.oauth import TokenSource

# StackSpot's largest file, stated for knowledge sources (GAMBI).
MAX_FILE_BYTES = 10 * 1024 * 1024
# As in StackSpot's example for files of a chat; its unit is not documented, seconds are likelier (GAMBI, POTENTII).
EXPIRATION = 60

_DATA_URL = re.compile(r"data:([^;,]*)(?:;[^;,]*)*;base64,", re.IGNORECASE)
_SUBTYPE = re.compile(r"\s*[\w.-]+/(?:x-)?([\w.-]+)")
_UNSAFE = re.compile(r"[^\w.-]+")

FilePart = tuple[int, int, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Uploads:
    """What turns file parts into upload ids; `enabled` and `fetch_images` are the operator's choice."""

    url: str
    tokens: TokenSource
    enabled: bool
    fetch_images: bool

    async def upload(
        self, parts: Sequence[FilePart], deadline: Deadline
    ) -> tuple[list[str], dict[tuple[int, int], str]]:
        """The upload ids of `parts`, and a note for each part's place in the prompt. Raises StackSpotError."""
        ids: list[str] = []
        notes: dict[tuple[int, int], str] = {}
        if not parts:
            return ids, notes
        for message, index, part in parts:
            where = f"messages[{message}].content[{index}]"
            if not self.enabled:
                raise BadRequestError(
                    f"`{where}` is a file: this gateway takes text only (STACKSPOT_UPLOADS is off).", param=where
                )
            name, content = await self._file(part, where, len(ids) + 1, deadline)
            ids.append(await self._store(name, content, deadline))
            notes[message, index] = f"[attached file: {name}]"
        return ids, notes

    async def _file(self, part: Mapping[str, Any], where: str, number: int, deadline: Deadline) -> tuple[str, bytes]:
        source = part.get("image_url") or part.get("file") or {}
        source = source if isinstance(source, Mapping) else {"url": source}
        data, name = source.get("file_data"), source.get("filename")
        # LiteLLM puts the address of a Responses `file_url` into the id.
        address = source.get("url") or data or source.get("file_id")
        if not isinstance(address, str):
            raise BadRequestError(f"`{where}` holds no data URL.", param=where)
        if len(address) > 2 * MAX_FILE_BYTES:
            raise _too_large(where)
        if address.startswith(("http://", "https://")):
            kind, content = await self._remote(address, where, deadline)
        else:
            kind, content = _decoded(address, where, bare=address == data)
        if len(content) > MAX_FILE_BYTES:
            raise _too_large(where)
        found = _SUBTYPE.match(kind)
        given = name if isinstance(name, str) and name else f"file-{number}.{found[1] if found else 'bin'}"
        return _UNSAFE.sub("_", given)[-100:], content

    async def _remote(self, address: str, where: str, deadline: Deadline) -> tuple[str, bytes]:
        if not self.fetch_images:
            raise BadRequestError(
                f"`{where}` is a remote address, which this gateway does not fetch (STACKSPOT_FETCH_IMAGES is off): "
                "send a data URL.",
                param=where,
            )
        try:
            return await remote_files.fetch(address, most=MAX_FILE_BYTES, deadline=deadline)
        except remote_files.FetchError:
            raise BadRequestError(
                f"`{where}` could not be fetched, is larger than 10 MB, or may not be fetched.", param=where
            ) from None

    async def _store(self, name: str, content: bytes, deadline: Deadline) -> str:
        token = await self.tokens.get_token(deadline)
        try:
            form = await self._form(name, token, deadline)
        except AuthenticationError:
            form = await self._form(name, await self.tokens.get_token(deadline, invalidate=token), deadline)
        upload_id, url, fields = form.get("id"), form.get("url"), form.get("form")
        if not isinstance(upload_id, str) or not isinstance(url, str) or not isinstance(fields, dict):
            raise InvalidResponseError("StackSpot's upload form cannot be read.")
        if not url.startswith("https://") and urlsplit(self.url).scheme == "https":
            raise InvalidResponseError("StackSpot's upload form names a storage without TLS.")
        filled = {str(key): str(value) for key, value in fields.items()}
        # No bearer: the form's fields are the storage's credentials.
        stored = client.Request(url, form=filled, file=(name, content), service=Service.STORAGE)
        await client.request_json(stored, deadline)
        return upload_id

    async def _form(self, name: str, token: str, deadline: Deadline) -> dict[str, Any]:
        asked = {"file_name": name, "target_type": "CONTEXT", "expiration": EXPIRATION}
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self.url}/v2/file-upload/form"
        return await client.request_json(
            client.Request(url, headers=headers, json=asked, service=Service.UPLOAD), deadline
        )


def _decoded(text: str, where: str, *, bare: bool) -> tuple[str, bytes]:
    """Media type and content of a data URL, or, if `bare`, of base64 without its head."""
    head = _DATA_URL.match(text)
    content = b""
    if head or bare:
        try:
            content = base64.b64decode("".join((text[head.end() :] if head else text).split()), validate=True)
        except (binascii.Error, ValueError):
            content = b""
    if not content:
        raise BadRequestError(f"`{where}` is not a data URL with base64 content.", param=where)
    return head[1] if head else "", content


def _too_large(where: str) -> BadRequestError:
    return BadRequestError(f"`{where}` is larger than StackSpot's limit of 10 MB.", param=where)
