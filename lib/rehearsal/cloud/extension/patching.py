"""Replacing MiniStack's functions, safely: what is replaced must be what was read."""

import importlib.metadata
import inspect

PINNED_VERSION = "1.5.33"


def require_version() -> None:
    version = importlib.metadata.version("ministack")
    if version != PINNED_VERSION:
        raise SystemExit(
            f"ministack {version} is installed and the rehearsal's patches were written for "
            f"{PINNED_VERSION}: check lib/rehearsal/cloud/extension before changing the pin"
        )


def original(module, name: str, parameters: list):
    """The function `name` of `module`; ends the process unless it takes these parameters."""
    function = getattr(module, name, None)
    found = list(inspect.signature(function).parameters) if callable(function) else None
    if found != parameters:
        raise SystemExit(
            f"{module.__name__}.{name} takes {found} and not {parameters}: "
            "this MiniStack is not the one that the rehearsal's patches were written for"
        )
    return function


def replace(module, name: str, parameters: list, wrap) -> None:
    """Sets `module.name` to `wrap(original function)`."""
    setattr(module, name, wrap(original(module, name, parameters)))


def handler(resource_type: str, action: str):
    """CloudFormation's handler of a resource type, `create`, `update` or `delete`."""
    from ministack.services.cloudformation import provisioners

    function = provisioners._RESOURCE_HANDLERS.get(resource_type, {}).get(action)
    if function is None:
        raise SystemExit(f"MiniStack has no {action} handler for {resource_type}")
    return function


def set_handler(resource_type: str, action: str, function) -> None:
    from ministack.services.cloudformation import provisioners

    provisioners._RESOURCE_HANDLERS[resource_type][action] = function
