"""A role that a service becomes must trust that very service.

MiniStack lets an account's root user become any role that trusts some service. The engine assumes
roles as CodePipeline and CodeBuild with the root user's key, and names the service as ExternalId.
Source: IAM User Guide, AWS JSON policy elements: Principal, AWS service principals.
"""

import json
from dataclasses import replace

from ministack.core import iam_evaluator

from . import patching


def install() -> None:
    patching.replace(
        iam_evaluator, "evaluate_trust_policy", ["trust_doc", "caller_arn", "ctx"], _as_service
    )


def _as_service(original):
    def evaluate(trust_doc, caller_arn, ctx=None):
        service = (ctx.service_context.get("sts:externalid") if ctx else None) or ""
        if not (caller_arn.endswith(":root") and service.endswith(".amazonaws.com")):
            return original(trust_doc, caller_arn, ctx)
        document = json.loads(trust_doc) if isinstance(trust_doc, str) else trust_doc
        found = document.get("Statement", [])
        statements = [found] if isinstance(found, dict) else found
        named = [statement for statement in statements if _names(statement, service)]
        # A service gives no ExternalId.
        return original({"Statement": named}, caller_arn, replace(ctx, service_context={}))

    return evaluate


def _names(statement: dict, service: str) -> bool:
    principal = statement.get("Principal")
    services = principal.get("Service", []) if isinstance(principal, dict) else []
    return service in ([services] if isinstance(services, str) else services)
