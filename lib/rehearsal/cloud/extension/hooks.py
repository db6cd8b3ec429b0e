"""Calls to whoever serves the hooks, lib/rehearsal/hooks.ts."""

import json
import urllib.error
import urllib.request

# Hooks are on this machine: a proxy of the user's must not see them.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class HookFailed(Exception):
    """The hook could not be reached, or refused; the message says which and why."""


def post(base_url: str, path: str, message: dict, timeout_seconds: float) -> bytes:
    """Posts JSON and returns the body of a 2xx answer."""
    url = base_url.rstrip("/") + path
    request = urllib.request.Request(
        url,
        data=json.dumps(message, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    try:
        with _opener.open(request, timeout=timeout_seconds) as response:
            return response.read()
    except urllib.error.HTTPError as error:
        said = error.read(2000).decode("utf-8", "replace").strip()
        raise HookFailed(f"{url} answered {error.code}: {said}") from None
    except OSError as error:
        raise HookFailed(f"{url} cannot be reached: {error}") from None
