"""Files for a chat: first a form, then the storage that takes form and file without a bearer (section 8)."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

from aiohttp import BodyPartReader, web

from simulator.api.errors import RefusedError, json_response, malformed
from simulator.identifiers import new_ulid
from simulator.state import State, Upload, bearer_account, come_between, faults_for, record_of, state_of

STORAGE_PATH = "/storage"
_BUCKET = "simulated-uploads"


async def form(request: web.Request) -> web.StreamResponse:
    """POST /v2/file-upload/form (DOC-UP). In: `file_name`, `target_type`, `expiration`. Out: `id`, `url`, `form`."""
    owner = state_of(request).tokens.owner(request.headers.get("Authorization"))
    await come_between(request, faults_for(request, "uploads", owner.client_id if owner else None))
    account = bearer_account(request)
    asked = record_of(request).body
    if not isinstance(asked, dict):
        raise RefusedError(malformed("body", "Input should be a valid JSON object"))
    if not isinstance(asked.get("file_name"), str) or not asked["file_name"]:
        raise RefusedError(malformed("file_name", "Input should be a non-empty string"))
    if asked.get("target_type") not in ("CONTEXT", "KNOWLEDGE_SOURCE"):
        raise RefusedError(malformed("target_type", "Input should be 'CONTEXT' or 'KNOWLEDGE_SOURCE'"))
    if asked["target_type"] == "KNOWLEDGE_SOURCE" and not isinstance(asked.get("target_id"), str):
        raise RefusedError(malformed("target_id", "Field required"))
    upload = Upload(id=new_ulid(), asked=asked, form={})
    upload.form = _signed_form(upload)
    state_of(request).uploads[upload.id] = upload
    bucket = quote(f"{_BUCKET}-{account.client_id}", safe="")
    url = f"{request.url.origin()}{STORAGE_PATH}/{bucket}"
    return json_response({"id": upload.id, "url": url, "form": upload.form})


async def store(request: web.Request) -> web.StreamResponse:
    """POST `url`, multipart: every field of the form first, the file last in part `file` (DOC-UP). Out: 204.

    Refusals imitate S3: its XML, 411 without a length, and its refusal of a second way to authenticate.
    """
    owner = request.match_info["bucket"].removeprefix(f"{_BUCKET}-")
    await come_between(request, faults_for(request, "storage", owner))
    if "Authorization" in request.headers:
        raise RefusedError(_storage_error(400, "InvalidArgument", "Only one auth mechanism allowed"))
    if request.content_length is None:
        raise RefusedError(
            _storage_error(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
        )
    if request.content_type != "multipart/form-data":
        raise RefusedError(_storage_error(412, "PreconditionFailed", "Bucket POST must be of type multipart/form-data"))
    fields, data = await _read_parts(request)
    upload = _upload_with_key(state_of(request), fields.get("key"))
    if upload is None or fields != upload.form:
        raise RefusedError(
            _storage_error(403, "AccessDenied", "Invalid according to Policy: the fields are not the form's")
        )
    if data is None:
        raise RefusedError(_storage_error(400, "InvalidArgument", "POST requires exactly one file upload per request."))
    upload.data = data
    return web.Response(status=204, headers={"ETag": f'"{hashlib.sha256(data).hexdigest()[:32]}"'})


async def _read_parts(request: web.Request) -> tuple[dict[str, str], bytes | None]:
    """The fields before the file, and the file. What comes after the file is not looked at, as in S3."""
    fields: dict[str, str] = {}
    data: bytes | None = None
    seen: list[dict[str, Any]] = []
    record_of(request).body = seen
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise RefusedError(_storage_error(400, "MalformedPOSTRequest", "A part is itself multipart."))
        raw = bytes(await part.read())
        seen.append({"name": part.name, "filename": part.filename, "bytes": len(raw)})
        if data is None and part.name == "file":
            data = raw
        elif data is None:
            fields[part.name or ""] = raw.decode("utf-8", "replace")
    return fields, data


def _upload_with_key(state: State, key: str | None) -> Upload | None:
    return next((upload for upload in state.uploads.values() if upload.form["key"] == key), None)


def _signed_form(upload: Upload) -> dict[str, str]:
    """The fields of a presigned S3 form (DOC-UP). The values only have to come back as they are."""
    signature = hashlib.sha256(upload.id.encode()).hexdigest()
    return {
        "key": f"uploads/{upload.id}/{upload.asked['file_name']}",
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": "SIMULATED/20260101/us-east-1/s3/aws4_request",
        "x-amz-date": "20260101T000000Z",
        "x-amz-security-token": f"simulated-token-{upload.id}",
        "policy": f"simulated-policy-{upload.id}",
        "x-amz-signature": signature,
    }


def _storage_error(status: int, code: str, message: str) -> web.Response:
    xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return web.Response(text=xml, status=status, content_type="application/xml")


def describe(upload: Upload) -> dict[str, Any]:
    """What the control API shows of an upload."""
    data = upload.data
    return {
        "id": upload.id,
        **upload.asked,
        "stored": data is not None,
        "bytes": 0 if data is None else len(data),
        "sha256": None if data is None else hashlib.sha256(data).hexdigest(),
    }
