"""AWS::CodePipeline::Pipeline, which MiniStack lacks: the rehearsal's engine runs pipelines."""

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import provisioners, stacks

from . import hooks, patching

TYPE = "AWS::CodePipeline::Pipeline"
PATH = "/hooks/pipeline"
HOOK_TIMEOUT_SECONDS = 120

# Version of each pipeline's definition, by account, region and name.
_versions: dict = {}


def install(hooks_url: str) -> None:
    if TYPE in provisioners._RESOURCE_HANDLERS:
        raise SystemExit(f"MiniStack has a {TYPE} of its own now: do not replace it unseen")

    def key(name):
        return (get_account_id(), get_region(), name)

    def tell(event, name, version, properties, stack_name):
        account, region, _ = key(name)
        message = {
            "event": event,
            "account": account,
            "region": region,
            "stackName": stack_name,
            "name": name,
            "version": version,
            "properties": properties,
        }
        hooks.post(hooks_url, PATH, message, HOOK_TIMEOUT_SECONDS)

    # The delete handler is not told the stack's name.
    stack_names: dict = {}

    def create(logical_id, props, stack_name):
        name = props.get("Name") or provisioners._physical_name(stack_name, logical_id, max_len=100)
        if key(name) in _versions:
            raise ValueError(f"A pipeline with the name '{name}' already exists in this account.")
        tell("create", name, 1, props, stack_name)
        _versions[key(name)] = 1
        stack_names[key(name)] = stack_name
        return name, {"Version": "1"}

    def update(physical_id, old_props, new_props, stack_name, logical_id=None):
        name = new_props.get("Name")
        if (name and name != physical_id) or key(physical_id) not in _versions:
            created = create(logical_id or physical_id, new_props, stack_name)
            if created[0] != physical_id:
                provisioners._delete_predecessor(delete, physical_id, old_props)
            return created
        version = _versions[key(physical_id)] + 1
        tell("update", physical_id, version, new_props, stack_name)
        _versions[key(physical_id)] = version
        return physical_id, {"Version": str(version)}

    def delete(physical_id, props):
        version = _versions.get(key(physical_id))
        if version is None:
            return
        tell("delete", physical_id, version, props, stack_names.get(key(physical_id), ""))
        _versions.pop(key(physical_id), None)

    provisioners._RESOURCE_HANDLERS[TYPE] = {
        "create": create,
        "update": update,
        "update_with_logical_id": True,
        "delete": delete,
    }
    provisioners._STACK_TAG_PROPERTY[TYPE] = ("Tags", "list")

    # The engine may call MiniStack before it answers, so the event loop must stay free.
    def on_worker_thread(original):
        return lambda resource_type: resource_type == TYPE or original(resource_type)

    patching.replace(stacks, "_runs_on_worker_thread", ["resource_type"], on_worker_thread)
