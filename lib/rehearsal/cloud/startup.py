"""Starts MiniStack with what the rehearsal adds and corrects.

Run by local-cloud.ts with the Python of the tools' virtual environment. Settings come through
the environment: MiniStack's own (GATEWAY_PORT, AUTH, USE_SSL, TMPDIR, ...), and

  REHEARSAL_HOOKS_URL   base URL of the hooks, see lib/rehearsal/hooks.ts
  REHEARSAL_PARENT      process id to die with; absent to outlive the starter
"""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Asks the kernel to kill this process when its parent ends, however it ends."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        raise SystemExit("the parent ended before the local cloud started")


def main() -> None:
    parent = os.environ.pop("REHEARSAL_PARENT", "")
    if parent:
        die_with(int(parent))

    from extension import (
        condition_keys,
        control,
        faults,
        foreign_buckets,
        gateway,
        lambda_functions,
        lambda_packages,
        layer_actions,
        patching,
        pipeline,
        role_names,
        role_tags,
        service_trust,
        snapshots,
    )

    patching.require_version()
    hooks_url = os.environ.pop("REHEARSAL_HOOKS_URL")
    pipeline.install(hooks_url)
    lambda_functions.install(hooks_url)
    lambda_packages.install()
    foreign_buckets.install()
    gateway.install()
    layer_actions.install()
    condition_keys.install()
    role_names.install()
    role_tags.install()
    service_trust.install()
    control.install()
    # After whatever else decides on a request.
    faults.install()
    snapshots.install()

    from ministack.app import main as serve

    serve()


if __name__ == "__main__":
    main()
