"""Faults on demand: chosen requests, and chosen resources of stacks, fail as they may on AWS.

The rules come by POST to `/_rehearsal/faults` and replace those before; see FaultRule in
lib/rehearsal/cloud/faults.ts. An account's root user is never disturbed: it stands for people
and for AWS's own services.
"""

import asyncio
import json
import threading
import time
from xml.sax.saxutils import escape

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import stacks

from . import control, patching

_ENFORCE = ["access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"]
_REQUEST = ["method", "path", "headers", "body", "query_params", "request_id"]
_DATA_PLANE = [*_REQUEST, "raw_path", "raw_query_string", "client_ip"]
_CREATE = ["resource_type", "logical_id", "props", "stack_name"]
_UPDATE = [
    "resource_type", "physical_id", "old_props", "new_props", "stack_name", "logical_id", "old_attrs",
]
_DELETE = ["resource_type", "physical_id", "props", "stack_name", "logical_id"]

# HTTP status and error code, where a service has words of its own.
_ERRORS = {
    "throttled": {
        "s3": (503, "SlowDown"),
        "lambda": (429, "TooManyRequestsException"),
        "query-xml": (400, "Throttling"),
        "": (400, "ThrottlingException"),
    },
    "error": {
        "s3": (500, "InternalError"),
        "lambda": (500, "ServiceException"),
        "query-xml": (500, "InternalFailure"),
        "": (500, "InternalServerError"),
    },
}
_MESSAGES = {"throttled": "Rate exceeded", "error": "An internal error occurred"}
# As the resource handlers of CloudFormation say it.
_HANDLER_ERRORS = {
    "denied": "User: {principal} is not authorized to perform this operation on {type} "
    "(HandlerErrorCode: AccessDenied)",
    "throttled": "Rate exceeded for {type} (HandlerErrorCode: Throttling)",
    "error": "Internal error in the handler of {type} (HandlerErrorCode: InternalFailure)",
}

_rules: list = []
_lock = threading.Lock()


class _Faulty(Exception):
    """A request that is not to be served."""

    def __init__(self, rule: dict, service: str):
        super().__init__(rule["kind"])
        self.rule = rule
        self.service = service


def install() -> None:
    control.serve("faults", _answer)
    patching.replace(iam_evaluator, "enforce", _ENFORCE, _faulty_request)
    patching.replace(app, "_dispatch_service_request", _REQUEST, _answering)
    patching.replace(app, "_handle_special_data_plane_request", _DATA_PLANE, _answering)
    for name, parameters in (
        ("_provision_resource", _CREATE),
        ("_update_resource", _UPDATE),
        ("_delete_resource", _DELETE),
    ):
        patching.replace(stacks, name, parameters, _faulty_resource)
    patching.replace(stacks, "_runs_on_worker_thread", ["resource_type"], _off_the_event_loop)


def _answer(message: dict) -> dict:
    """Takes new rules where there are some; tells how often each has been met."""
    global _rules
    with _lock:
        if "rules" in message:
            _rules = [{**rule, "met": 0} for rule in message["rules"]]
        return {"met": [rule["met"] for rule in _rules]}


def _rule_for(what: str, account: str, region: str):
    """The rule that a request or resource meets now, counted; None where there is none."""
    with _lock:
        for rule in _rules:
            if rule["what"] != what:
                continue
            if rule.get("account", account) != account or rule.get("region", region) != region:
                continue
            rule["seen"] = rule.get("seen", 0) + 1
            if rule["seen"] <= rule.get("skip", 0) or rule["met"] >= rule.get("times", rule["met"] + 1):
                continue
            rule["met"] += 1
            return rule
    return None


def _faulty_request(original):
    def enforce(access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
        arguments = (access_key_id, iam_action, service, region, resource_arn, service_context)
        if not _rules or _is_root(access_key_id):
            return original(*arguments)
        parts = resource_arn.split(":")
        account = parts[4] if len(parts) > 4 and parts[4] else get_account_id()
        rule = _rule_for(iam_action, account, region)
        if rule is None:
            return original(*arguments)
        if rule["kind"] != "denied":
            raise _Faulty(rule, service)
        principal = iam_evaluator.resolve_principal(access_key_id, get_account_id())
        return iam_evaluator.EvalResult("Deny", principal_arn=getattr(principal, "arn", ""))

    return enforce


def _is_root(access_key_id) -> bool:
    return len(access_key_id or "") == 12 and access_key_id.isdigit()


def _answering(original):
    async def handle(method, path, headers, body, query_params, request_id, *rest, **named):
        arguments = (method, path, headers, body, query_params, request_id)
        try:
            return await original(*arguments, *rest, **named)
        except _Faulty as fault:
            kind = fault.rule["kind"]
            if kind == "hang":
                await _hang(fault.rule)
                kind = "error"
            return _error(kind, fault.service, request_id)

    return handle


async def _hang(rule: dict) -> None:
    """Until the time is over, or other rules have come."""
    until = time.monotonic() + rule["seconds"]
    while time.monotonic() < until and any(rule is current for current in _rules):
        await asyncio.sleep(0.05)


def _error(kind: str, service: str, request_id: str) -> tuple:
    """An error as the SDKs read it in the service's protocol."""
    protocol = iam_actions._SERVICE_PROTOCOL.get(service, "json")
    known = _ERRORS[kind]
    status, code = known.get(service) or known.get(protocol) or known[""]
    message = _MESSAGES[kind]
    if protocol == "rest-xml":
        text = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{request_id}</RequestId></Error>"
        return status, {"Content-Type": "application/xml"}, text.encode()
    if protocol == "query-xml":
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}"
            f"</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return status, {"Content-Type": "text/xml"}, text.encode()
    return (
        status,
        {"Content-Type": "application/json", "x-amzn-errortype": code},
        json.dumps({"__type": code, "message": message}).encode(),
    )


def _faulty_resource(original):
    def handle(resource_type, *arguments):
        rule = _rule_for(resource_type, get_account_id(), get_region()) if _rules else None
        if rule is not None and rule["kind"] == "hang":
            # Slow, and no failure: CloudFormation goes on waiting.
            until = time.monotonic() + rule["seconds"]
            while time.monotonic() < until and any(rule is current for current in _rules):
                time.sleep(0.05)
        elif rule is not None:
            principal = f"arn:aws:sts::{get_account_id()}:assumed-role/cdk-cfn-exec-role/AWSCloudFormation"
            raise ValueError(
                _HANDLER_ERRORS[rule["kind"]].format(type=resource_type, principal=principal)
            )
        return original(resource_type, *arguments)

    return handle


def _off_the_event_loop(original):
    def runs_on_worker_thread(resource_type):
        slow = any(rule["what"] == resource_type and rule["kind"] == "hang" for rule in _rules)
        return slow or original(resource_type)

    return runs_on_worker_thread
