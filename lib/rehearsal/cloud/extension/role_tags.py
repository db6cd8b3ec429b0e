"""Conditions on the tags of a role that is to be assumed, `iam:ResourceTag/…`.

CDK's self-mutation role may assume roles by their tag `aws-cdk:bootstrap-role`; MiniStack knows
`aws:ResourceTag` of a few services only, and would refuse it.
Source: Service Authorization Reference, condition keys of AWS STS and IAM.
"""

from ministack.core import iam_evaluator
from ministack.services import iam

from . import patching

_PARAMETERS = ["access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"]


def install() -> None:
    patching.replace(iam_evaluator, "enforce", _PARAMETERS, _with_role_tags)


def _with_role_tags(original):
    def enforce(access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
        if iam_action == "sts:AssumeRole":
            service_context = {**_tags_of(resource_arn), **(service_context or {})}
        return original(access_key_id, iam_action, service, region, resource_arn, service_context)

    return enforce


def _tags_of(role_arn: str) -> dict:
    parts = role_arn.split(":")
    if len(parts) < 6 or "/" not in parts[5]:
        return {}
    role = iam._roles.get_scoped(parts[4], None, parts[5].split("/")[-1])
    tags = (role or {}).get("Tags", [])
    return {f"iam:ResourceTag/{tag['Key']}": tag["Value"] for tag in tags}
