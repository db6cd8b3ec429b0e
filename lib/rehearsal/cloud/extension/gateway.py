"""One port only: several rehearsals may run on one machine."""

from ministack import app

from . import patching


def install() -> None:
    # MiniStack also takes port 443 where it may, for Cognito, which is not rehearsed.
    patching.replace(app, "_port_is_bindable", ["host", "port"], lambda _original: lambda host, port: False)
