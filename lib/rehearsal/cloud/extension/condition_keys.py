"""Two condition keys as AWS fills them in.

`s3:ResourceAccount` is the account that owns the bucket. MiniStack takes the caller's account,
since the ARN of a bucket names none; CDK's bootstrap deploy role, which may read artifacts in any
account but its own, would be refused. Source: Amazon S3 User Guide, policy condition keys.

`aws:PrincipalArn` of a role's session is the ARN of the role; MiniStack takes the session's.
Source: IAM User Guide, global condition context keys.
"""

from ministack.core import iam_evaluator
from ministack.services import iam, s3

from . import patching

_ACCOUNT_KEYS = ("aws:resourceaccount", "s3:resourceaccount")
_S3_PREFIX = "arn:aws:s3:::"


def install() -> None:
    patching.replace(iam_evaluator, "_resolve_condition_key", ["key", "ctx"], _as_on_aws)


def _as_on_aws(original):
    def resolve(key, ctx):
        name = key.lower()
        if name in _ACCOUNT_KEYS and ctx.resource_arn.startswith(_S3_PREFIX):
            bucket = ctx.resource_arn[len(_S3_PREFIX):].split("/")[0]
            owner = s3._bucket_owner_account(bucket)
            if owner:
                return owner
        if name == "aws:principalarn" and ":assumed-role/" in ctx.principal_arn:
            account, role = ctx.principal_arn.split(":")[4], ctx.principal_arn.split("/")[1]
            return (iam._roles.get_scoped(account, None, role) or {}).get("Arn")
        return original(key, ctx)

    return resolve
