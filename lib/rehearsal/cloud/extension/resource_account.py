"""The condition key `s3:ResourceAccount` is the account that owns the bucket.

MiniStack takes the caller's account, since the ARN of a bucket names none; CDK's bootstrap deploy
role, which may read artifacts in any account but its own, would be refused.
Source: Amazon S3 User Guide, policy condition keys.
"""

from ministack.core import iam_evaluator
from ministack.services import s3

from . import patching

_KEYS = ("aws:resourceaccount", "s3:resourceaccount")
_S3_PREFIX = "arn:aws:s3:::"


def install() -> None:
    patching.replace(iam_evaluator, "_resolve_condition_key", ["key", "ctx"], _with_bucket_owner)


def _with_bucket_owner(original):
    def resolve(key, ctx):
        if key.lower() in _KEYS and ctx.resource_arn.startswith(_S3_PREFIX):
            bucket = ctx.resource_arn[len(_S3_PREFIX):].split("/")[0]
            owner = s3._bucket_owner_account(bucket)
            if owner:
                return owner
        return original(key, ctx)

    return resolve
