"""Requests to the local cloud itself, below `/_rehearsal/`, beside those to the AWS APIs."""

import json

from ministack import app

from . import patching

PREFIX = "/_rehearsal/"
_PARAMETERS = ["method", "path", "headers", "body", "query_params", "request_id"]

_routes: dict = {}


def install() -> None:
    patching.replace(app, "_handle_post_body_shortcuts", _PARAMETERS, _with_routes)


def serve(path: str, answer) -> None:
    """Answers POST requests at `/_rehearsal/<path>`: JSON in, JSON out; a ValueError is a 400."""
    _routes[PREFIX + path] = answer


def _with_routes(original):
    async def handle(method, path, headers, body, query_params, request_id):
        answer = _routes.get(path) if method == "POST" else None
        if answer is None:
            return await original(method, path, headers, body, query_params, request_id)
        try:
            status, said = 200, answer(json.loads(body or b"{}"))
        except ValueError as error:
            status, said = 400, {"message": str(error)}
        return status, {"Content-Type": "application/json"}, json.dumps(said).encode()

    return handle
