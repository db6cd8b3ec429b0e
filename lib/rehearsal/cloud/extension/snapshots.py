"""Keeps the state of all accounts under a name, and brings it back: for tests that try many
things from one starting point.

A deployment that is under way would go on into the other state, and is refused.
"""

import sys
from copy import deepcopy

from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict
from ministack.services import cloudformation, sts

from . import control, pipeline

_kept: dict = {}


def install() -> None:
    control.serve("keep", _keep)
    control.serve("restore", _restore)


def _stores() -> list:
    """Every dictionary that holds state, each once: modules share some."""
    modules = [module for name, module in sys.modules.items() if name.startswith("ministack.services")]
    scoped = {
        id(value): value._data
        for module in modules
        for value in vars(module).values()
        if isinstance(value, (AccountScopedDict, AccountRegionScopedDict))
    }
    return [*scoped.values(), sts._sessions, pipeline._versions]


def _require_rest() -> None:
    moving = [
        stack["StackName"]
        for stack in cloudformation._stacks._data.values()
        if stack.get("StackStatus", "").endswith("_IN_PROGRESS")
    ]
    if moving:
        raise ValueError(f"stacks are being deployed: {', '.join(moving)}")


def _keep(message: dict) -> dict:
    _require_rest()
    stores = _stores()
    # In one go: what two stores share stays shared. Zips are bytes, which are not copied.
    _kept[message["name"]] = (stores, deepcopy(stores))
    return {}


def _restore(message: dict) -> dict:
    if message["name"] not in _kept:
        raise ValueError(f"no state is kept as {message['name']!r}")
    _require_rest()
    stores, contents = _kept[message["name"]]
    for store in _stores():
        if not any(store is known for known in stores):
            # Of a service that was loaded later.
            store.clear()
    for store, content in zip(stores, deepcopy(contents)):
        store.clear()
        store.update(content)
    return {}
