"""Functions of `provided` runtimes run in the rehearsal's function runner, layers included.

MiniStack itself would ignore their layers, and answers a made-up 200 where it finds no
bootstrap; neither can happen once these functions are replaced.
"""

import json
import os
import stat
import tempfile
import threading
import zipfile
from hashlib import sha256
from io import BytesIO
from shutil import rmtree

from ministack.services import lambda_svc

from . import hooks, patching

PATH = "/hooks/invoke"
# Beyond the function's own timeout: waiting for a turn, a cold start, an emulated processor.
GRACE_SECONDS = 180

_unpack_lock = threading.Lock()


def install(hooks_url: str) -> None:
    def run(func, event, request_id):
        config = func.get("config") or func
        try:
            answer = _invoke(hooks_url, func, config, event, request_id)
        except (hooks.HookFailed, _Unrunnable) as error:
            return _failed(str(error))
        result = {"body": answer["payload"], "log": answer.get("log", ""), "raw_payload": True}
        if answer.get("functionError"):
            result.update(error=True, function_error=answer["functionError"])
        return result

    parameters = ["func", "event", "request_id"]
    for name in ("_execute_function_provided_warm", "_execute_function_provided"):
        patching.replace(lambda_svc, name, parameters, lambda _original: run)
    # The two ways around those functions: a proxy of one function, and Docker.
    patching.replace(lambda_svc, "_proxy_url_for", ["config"], lambda _original: lambda config: None)
    if lambda_svc.LAMBDA_EXECUTOR != "local" or lambda_svc.LAMBDA_STRICT:
        raise SystemExit("LAMBDA_EXECUTOR and LAMBDA_STRICT must not be set in the rehearsal")


class _Unrunnable(Exception):
    pass


def _failed(message):
    # Not the error type with which the engine says that this machine cannot run a processor.
    return {
        "body": {"errorType": "Rehearsal.HookFailed", "errorMessage": message},
        "error": True,
        "function_error": "Unhandled",
        "log": message,
    }


def _invoke(hooks_url, func, config, event, request_id):
    arn = config["FunctionArn"]
    code = func.get("code_zip")
    if not code:
        raise _Unrunnable(f"{arn} has no code")
    layers = []
    for attachment in config.get("Layers") or []:
        blob = lambda_svc._resolve_layer_zip(attachment)
        if blob is None:
            raise _Unrunnable(f"{arn} attaches {attachment}, of which there are no bytes")
        layers.append(_unpacked(blob))
    timeout = int(config.get("Timeout") or 3)
    message = {
        # A qualifier belongs to the caller, `version` says what runs.
        "functionArn": ":".join(arn.split(":")[:7]),
        "version": config.get("Version", "$LATEST"),
        "handler": config.get("Handler", ""),
        "architecture": (config.get("Architectures") or ["x86_64"])[0],
        "codeDir": _unpacked(code),
        "layerDirs": layers,
        "memoryMb": int(config.get("MemorySize") or 128),
        "timeoutSeconds": timeout,
        "environment": lambda_svc._runtime_env_vars(config),
        "event": event if isinstance(event, str) else json.dumps(event, ensure_ascii=False),
        "requestId": request_id,
    }
    body = hooks.post(hooks_url, PATH, message, timeout + GRACE_SECONDS)
    answer = json.loads(body)
    if not isinstance(answer, dict) or not isinstance(answer.get("payload"), str):
        raise hooks.HookFailed(f"{PATH} answered without a payload: {body[:500]!r}")
    return answer


def _unpacked(blob: bytes) -> str:
    """Folder with the content of a zip, modes and links as they are in it; made once."""
    root = os.path.join(tempfile.gettempdir(), "functions")
    folder = os.path.join(root, sha256(blob).hexdigest())
    with _unpack_lock:
        if os.path.isdir(folder):
            return folder
        os.makedirs(root, exist_ok=True)
        temporary = tempfile.mkdtemp(dir=root)
        try:
            _unzip(blob, temporary)
            os.chmod(temporary, 0o755)
            os.rename(temporary, folder)
        except BaseException:
            rmtree(temporary, ignore_errors=True)
            raise
        return folder


def _unzip(blob: bytes, target: str) -> None:
    with zipfile.ZipFile(BytesIO(blob)) as archive:
        for entry in archive.infolist():
            mode = entry.external_attr >> 16
            if stat.S_ISLNK(mode):
                path = os.path.join(target, entry.filename)
                parent = os.path.realpath(os.path.dirname(path))
                if os.path.commonpath([parent, os.path.realpath(target)]) != os.path.realpath(target):
                    raise _Unrunnable(f"{entry.filename} leaves the archive")
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.symlink(archive.read(entry).decode(), path)
                continue
            path = archive.extract(entry, target)
            if stat.S_IMODE(mode) and not entry.is_dir():
                os.chmod(path, stat.S_IMODE(mode))
