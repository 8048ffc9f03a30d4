"""The inside of a worker process: tasks come as JSON, a line each, and what came of them goes back the same way.

``python -m helpers.app.worker`` does everything, ``python -m helpers.app.worker reader`` decodes uploads alone, in bounded memory. It ends
when the room's end of the pipe is closed.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
import time
from typing import Any, TextIO

_MOST_MEMORY = 3 << 30  # bytes of address space in which one upload is decoded
_RARELY = 0.2  # seconds between two words on how far it is


def main() -> None:
    """Do one task after the other until nobody listens."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # what libraries print is no answer
    if sys.argv[1:] == ["reader"]:
        _bound()
    tasks: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    unwanted: set[int] = set()
    threading.Thread(target=_listen, args=(tasks, unwanted), daemon=True).start()
    from helpers.app import work

    _say(answers, {"up": True})
    while True:
        task = tasks.get()
        number, name, given = task["id"], task["do"], task["with"]
        try:
            if number in unwanted:
                raise work.Cancelled
            if name in ("mask", "wear", "draw", "sew"):
                given = {**given, "tell": _teller(answers, number, unwanted)}
            answer = {"id": number, "done": work.TASKS[name](**given)}
        except work.Cancelled:
            answer = {"id": number, "cancelled": True}
        except work.Told as error:
            answer = {"id": number, "error": str(error), "key": error.key}
        except Exception as error:  # whatever an engine raises, the next task is done
            answer = {"id": number, "error": _plain(error), "key": "error.failed"}
        unwanted.discard(number)
        _say(answers, answer)


def _listen(tasks: queue.SimpleQueue[dict[str, Any]], unwanted: set[int]) -> None:
    for line in sys.stdin:
        message = json.loads(line)
        if "cancel" in message:
            unwanted.add(message["cancel"])
        else:
            tasks.put(message)
    os._exit(0)  # the room is closed, whatever is being done


def _teller(answers: TextIO, number: int, unwanted: set[int]) -> Any:
    from helpers.app.work import Cancelled

    last: dict[str, Any] = {"doing": "", "at": 0.0}

    def tell(doing: str, step: int, total: int) -> None:
        if number in unwanted:
            raise Cancelled
        now = time.monotonic()
        if doing != last["doing"] or now - last["at"] > _RARELY:
            last.update(doing=doing, at=now)
            _say(answers, {"id": number, "doing": doing, "step": step, "total": total})

    return tell


def _say(answers: TextIO, message: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):
        answers.write(json.dumps(message) + "\n")


def _plain(error: Exception) -> str:
    """What went wrong in a line. Files are named by their last part: where they lie is nobody's business."""
    text = " ".join(str(error).split()) or type(error).__name__
    return " ".join(os.path.basename(word) if word.startswith("/") else word for word in text.split(" "))[:600]


def _bound() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # not on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))


if __name__ == "__main__":
    main()
