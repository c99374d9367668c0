"""Web API: uploading a file in Slack's three steps."""

import secrets
from dataclasses import replace
from typing import Any

from tests.workspace import limits
from tests.workspace.arguments import Arguments
from tests.workspace.errors import ApiError
from tests.workspace.people import BOT_USER_ID, Channel
from tests.workspace.records import File
from tests.workspace.tickets import Tickets, Upload

Json = dict[str, Any]


def get_upload_url(call: Arguments) -> Json:
    name, length = call.needed("filename"), call.number("length", 0)
    if length <= 0:
        raise ApiError("invalid_arguments")
    ticket = secrets.token_urlsafe(18)
    alt = call.text("alt_txt")
    if len(alt) > limits.most("upload.alt_txt"):
        raise ApiError("alt_txt_too_large")
    upload = Upload(f"F{secrets.token_hex(5).upper()}", name, length, alt)
    call.tickets.uploads[ticket] = upload
    return {"upload_url": f"{call.base_url}/upload/v1/{ticket}", "file_id": upload.file_id}


def complete_upload(call: Arguments) -> Json:
    wanted = call.decoded("files") or []
    if not wanted:
        raise ApiError("invalid_arguments")
    channel = _channel(call)
    files = [_file(call, one) for one in wanted]
    if channel:
        _share(call, channel, files)
    return {"files": [file_json(call.base_url, file) for file in files]}


def _channel(call: Arguments) -> Channel | None:
    if not call.text("channel_id"):
        return None
    found = call.state.directory.channels.get(call.text("channel_id"))
    if found is None or BOT_USER_ID not in found.members:
        raise ApiError("channel_not_found" if found is None or found.is_private else "not_in_channel")
    if found.is_archived:
        # Its reference has no word of its own for that.
        raise ApiError("posting_to_channel_denied")
    return found


def _file(call: Arguments, wanted: Json) -> File:
    upload = _uploaded(call.tickets, str(wanted.get("id")))
    content = upload.content or b""
    if len(content) != upload.length:
        call.state.violate("upload", f"{upload.name}: announced {upload.length} bytes, got {len(content)}")
    return File(upload.file_id, upload.name, str(wanted.get("title") or upload.name), content, alt=upload.alt)


def _uploaded(tickets: Tickets, file_id: str) -> Upload:
    found = [one for one in tickets.uploads.values() if one.file_id == file_id]
    if not found or found[0].content is None:
        raise ApiError("file_not_found")
    return found[0]


def _share(call: Arguments, channel: Channel, files: list[File]) -> None:
    state = call.state
    for file in files:
        if file.alt and not file.is_image:
            state.violate(
                "upload", f"{file.name}: no picture, so with a text in its place it is shared nowhere"
            )
            return
    shared = [replace(file, channels=(channel.id,)) for file in files]
    with state.change():
        state.files |= {file.id: file for file in shared}
    state.post(
        channel.id,
        call.text("initial_comment"),
        thread_ts=call.text("thread_ts") or None,
        files=tuple(file_json(call.base_url, file) for file in shared),
    )


def file_json(base_url: str, file: File) -> Json:
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title,
        "size": len(file.content),
        "mimetype": file.mimetype,
        **({"alt_txt": file.alt} if file.alt else {}),
        "url_private": f"{base_url}/files/{file.id}",
        "permalink": f"{base_url}/files/{file.id}",
    }
