"""Run the compiled pipeline by `kfp.local`, each task inside the image that the spec names for it.

`python -m tests.images.local_run FILE`, a JSON file made by the test: `spec`, `folder`,
`arguments`, `env`, `read_only`, and `images`, name → root and environment. Prints a line of JSON
for each task: its image and CPU-seconds.
"""

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

from kfp import components, local
from kfp.local import status, subprocess_task_handler

from tests.images.containers import Container


def main(order: dict[str, Any]) -> None:
    """Run it; raises where a task fails."""
    os.umask(0)  # stages run as a user of no name and write where this process makes folders
    folder = Path(order["folder"])
    containers = {
        name: Container(
            Path(one["root"]),
            one["env"],
            folder,
            [Path(path) for path in order["read_only"]],
            order["user"],
        )
        for name, one in order["images"].items()
    }

    def run(self: Any) -> status.Status:
        done, seconds = containers[self.image].run(self.full_command, order["env"])
        line = {"image": self.image, "seconds": round(seconds, 2), "code": done.returncode}
        print(done.stdout if done.returncode else "", json.dumps(line), sep="\n", flush=True)
        return status.Status.FAILURE if done.returncode else status.Status.SUCCESS

    subprocess_task_handler.SubprocessTaskHandler.run = run
    warnings.filterwarnings("ignore")
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(folder / "artifacts"))
    components.load_component_from_file(order["spec"])(**order["arguments"])


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
