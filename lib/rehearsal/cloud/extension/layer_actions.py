"""Requests about layer versions, and the one for account settings, need their permissions of AWS.

MiniStack asks for lambda:ListLayers where a layer version is read, for PublishLayerVersion where
its policy is changed, for nothing where it is deleted or where account settings are read, and leaves
the version out of the resource.
Source: Service Authorization Reference, AWS Lambda (GetLayerVersion covers GetLayerVersionByArn).
"""

from ministack.core import iam_actions

from . import patching

_ACTION = ["service", "method", "path", "headers", "body", "query_params"]
_VERSION = {"GET": "GetLayerVersion", "DELETE": "DeleteLayerVersion"}
_VERSIONS = {"GET": "ListLayerVersions", "POST": "PublishLayerVersion"}
_POLICY = {
    "GET": "GetLayerVersionPolicy",
    "POST": "AddLayerVersionPermission",
    "DELETE": "RemoveLayerVersionPermission",
}


def install() -> None:
    patching.replace(iam_actions, "extract_iam_action", _ACTION, _action)
    patching.replace(
        iam_actions, "extract_resource_arn", [*_ACTION, "region", "account_id"], _resource
    )


def _layer_parts(service: str, path: str):
    """What follows `/2018-10-31/layers/`, or None for any other request."""
    parts = [part for part in path.split("/") if part]
    return parts[2:] if service == "lambda" and parts[1:2] == ["layers"] else None


def _arn_asked(query_params: dict):
    found = query_params.get("Arn")
    return found[0] if isinstance(found, list) else found


def _action(original):
    def extract(service, method, path, headers, body, query_params):
        parts = _layer_parts(service, path)
        name = None
        if service == "lambda" and path.strip("/").endswith("/account-settings"):
            name = "GetAccountSettings"
        if parts == [] and method == "GET":
            name = "GetLayerVersion" if _arn_asked(query_params) else "ListLayers"
        elif parts and len(parts) == 2:
            name = _VERSIONS.get(method)
        elif parts and len(parts) == 3:
            name = _VERSION.get(method)
        elif parts and len(parts) > 3:
            name = _POLICY.get(method)
        if name:
            return f"lambda:{name}"
        return original(service, method, path, headers, body, query_params)

    return extract


def _resource(original):
    def extract(service, method, path, headers, body, query_params, region, account_id):
        parts = _layer_parts(service, path)
        if parts == [] and _arn_asked(query_params):
            return _arn_asked(query_params)
        found = original(service, method, path, headers, body, query_params, region, account_id)
        return f"{found}:{parts[2]}" if parts and len(parts) > 2 else found

    return extract
