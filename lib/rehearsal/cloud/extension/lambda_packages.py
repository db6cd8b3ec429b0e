"""Code and layers that AWS would refuse are refused here too.

MiniStack makes a layer version or a function without content where the S3 object does not
exist, when CloudFormation asks for it, spends a version number on a refused layer, lets a
stack take over a function of another stack, and attaches foreign layers that do not exist. And
nobody asks whether another account's bucket lets Lambda read.
"""

from ministack.core.iam_evaluator import validate_role_arn
from ministack.core.responses import get_account_id
from ministack.services import lambda_svc, s3
from ministack.services.cloudformation import provisioners

from . import patching

LAYER = "AWS::Lambda::LayerVersion"
FUNCTION = "AWS::Lambda::Function"


def install() -> None:
    patching.original(s3, "_get_object_data", ["bucket_name", "key", "version_id"])
    patching.replace(lambda_svc, "_publish_layer_version", ["layer_name", "data"], _strict_publish)
    patching.replace(lambda_svc, "_create_function", ["data"], _strict_code)
    patching.replace(lambda_svc, "_update_code", ["name", "data"], _strict_update)
    patching.replace(
        lambda_svc,
        "_resolve_cross_account_layer",
        ["layer_arn", "spec", "name_and_version"],
        _strict_foreign_layer,
    )
    patching.handler(LAYER, "create")
    patching.set_handler(LAYER, "create", _create_layer)
    patching.set_handler(FUNCTION, "create", _strict_function(patching.handler(FUNCTION, "create")))
    patching.set_handler(FUNCTION, "update", _strict_change(patching.handler(FUNCTION, "update")))


def _missing_object(code: dict):
    """What is wrong with the S3 object that a request names, in AWS's words, or None."""
    bucket, key = code.get("S3Bucket"), code.get("S3Key")
    if not bucket or not key:
        return None
    owner, account = s3._bucket_owner_account(bucket), get_account_id()
    if owner not in (None, account) and not s3._foreign_bucket_allows(
        owner, bucket, key, "GET", {}, account
    ):
        return (
            "Your access has been denied by S3, please make sure your request credentials have "
            f"permission to GetObject for {bucket}/{key}. S3 Error Code: AccessDenied. "
            "S3 Error Message: Access Denied"
        )
    if s3._get_object_data(bucket, key, version_id=code.get("S3ObjectVersion")) is not None:
        return None
    return (
        "Error occurred while GetObject. S3 Error Code: NoSuchKey. "
        f"S3 Error Message: The specified key does not exist. ({bucket}/{key})"
    )


def _refused(message: str):
    return lambda_svc.error_response_json("InvalidParameterValueException", message, 400)


def _strict_publish(original):
    def publish(layer_name, data):
        wrong = _missing_object(data.get("Content") or {})
        if wrong:
            return _refused(wrong)
        known = lambda_svc._layers.get(layer_name)
        number = known["next_version"] if known else 1
        response = original(layer_name, data)
        if response[0] >= 400 and layer_name in lambda_svc._layers:
            # A refused layer version spends no number.
            lambda_svc._layers[layer_name]["next_version"] = number
        return response

    return publish


def _strict_code(original):
    def create(data):
        wrong = _missing_object(data.get("Code") or {})
        return _refused(wrong) if wrong else original(data)

    return create


def _strict_update(original):
    def update(name, data):
        wrong = _missing_object(data)
        return _refused(wrong) if wrong else original(name, data)

    return update


def _strict_foreign_layer(original):
    def resolve(layer_arn, spec, name_and_version):
        # MiniStack lets layers of accounts that it does not know pass, without content.
        if lambda_svc._layers.get_scoped(spec.account_id, spec.region, name_and_version[0]) is None:
            return lambda_svc._layer_access_denied(layer_arn)
        return original(layer_arn, spec, name_and_version)

    return resolve


def _create_layer(logical_id, props, stack_name):
    """Creates a layer version through the API's own checks."""
    name = props.get("LayerName") or provisioners._physical_name(
        stack_name, logical_id, max_len=64, seeded=False
    )
    status, _headers, body = lambda_svc._publish_layer_version(name, props)
    if status >= 400:
        raise ValueError(f"{LAYER} create failed: {_text(body)}")
    arn = lambda_svc._layers[name]["versions"][-1]["LayerVersionArn"]
    return arn, {"LayerVersionArn": arn, "Arn": arn}


def _strict_function(original):
    def create(logical_id, props, stack_name):
        name = props.get("FunctionName")
        if name and name in lambda_svc._functions:
            raise ValueError(f"Function already exist: {name}")
        wrong = _missing_object(props.get("Code") or {}) or validate_role_arn(
            props.get("Role") or f"arn:aws:iam::{get_account_id()}:role/none"
        )
        if wrong:
            raise ValueError(wrong)
        created = original(logical_id, props, stack_name)
        func = lambda_svc._functions[created[0]]
        refusal = lambda_svc._reject_unreadable_zip(
            func.get("code_zip")
        ) or lambda_svc._validate_total_unzipped_size(
            func.get("code_zip"), func["config"].get("Layers")
        )
        if refusal is not None:
            lambda_svc._functions.pop(created[0], None)
            raise ValueError(_text(refusal[2]))
        return created

    return create


def _strict_change(original):
    def update(physical_id, old_props, new_props, stack_name, logical_id=None):
        wrong = _missing_object(new_props.get("Code") or {})
        if wrong and new_props.get("Code") != old_props.get("Code"):
            raise ValueError(wrong)
        return original(physical_id, old_props, new_props, stack_name, logical_id)

    return update


def _text(body) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
