"""A role's name is taken once in an account, whatever the region and the stack.

MiniStack lets a stack replace a role of another stack, whose deletion then takes it from both.
Source: IAM User Guide, IAM identifiers; CloudFormation User Guide, AWS::IAM::Role, RoleName.
"""

from ministack.services import iam

from . import patching

ROLE = "AWS::IAM::Role"


def install() -> None:
    patching.set_handler(ROLE, "create", _strict(patching.handler(ROLE, "create")))


def _strict(original):
    def create(logical_id, props, stack_name):
        name = props.get("RoleName")
        if name and name in iam._roles:
            raise ValueError(f"Resource of type '{ROLE}' with identifier '{name}' already exists.")
        return original(logical_id, props, stack_name)

    return create
