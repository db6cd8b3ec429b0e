"""Buckets of other accounts: a policy may grant, or deny, one role of the caller's account.

MiniStack asks the policy of a foreign bucket for the caller's account as a whole; CDK's artifact
bucket names the deploy role of each target, which would be refused. And CloudFormation finds a
`TemplateURL` in the bucket of the pipeline's account.
Source: IAM User Guide, cross-account policy evaluation logic.
"""

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_region, request_scope
from ministack.services import s3

from . import patching

_PARAMETERS = ["owner_account", "bucket_name", "key", "method", "query_params", "caller", "headers"]


def install() -> None:
    patching.replace(s3, "_foreign_bucket_allows", _PARAMETERS, _with_roles)
    patching.replace(
        s3, "_get_object_data", ["bucket_name", "key", "version_id"], _from_owner
    )


def _from_owner(original):
    def get_object_data(bucket_name, key, version_id=None):
        owner = s3._bucket_owner_account(bucket_name)
        if not owner:
            return original(bucket_name, key, version_id)
        with request_scope(owner, get_region()):
            return original(bucket_name, key, version_id)

    return get_object_data


def _with_roles(original):
    def allows(owner_account, bucket_name, key, method, query_params, caller, headers=None):
        arguments = (owner_account, bucket_name, key, method, query_params, caller, headers)
        access_key = s3.extract_access_key_id(headers or {}, query_params)
        policy = s3._bucket_policies.get_scoped(owner_account, None, bucket_name)
        if not access_key or not caller or not policy:
            return original(*arguments)
        principal = iam_evaluator.resolve_principal(access_key, caller)
        if isinstance(principal, iam_evaluator.AuthError):
            return False
        path = f"/{bucket_name}/{key}" if key else f"/{bucket_name}"
        fallback = "GetObject" if method in ("GET", "HEAD") else "PutObject"
        action = f"s3:{iam_actions._s3_action(method, path, query_params) or fallback}"
        with request_scope(owner_account, get_region()):
            context = iam_actions.s3_service_context(action, query_params, path, headers or {})
        asked = iam_evaluator.EvalContext(
            principal_arn=principal.arn,
            principal_type=principal.type,
            principal_account=principal.account,
            action=action,
            resource_arn=f"arn:aws:s3:::{bucket_name}{f'/{key}' if key else ''}",
            region=get_region(),
            service_context={name.lower(): value for name, value in context.items()},
        )
        decision = iam_evaluator.evaluate_resource_policy(policy, asked).decision
        if decision == "Deny":
            return False
        return decision == "Allow" or original(*arguments)

    return allows
