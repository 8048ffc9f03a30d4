"""Peak memory and seconds of converting a checkpoint like IDM-VTON's UNet (torch pickle, float32) to float16, at a smaller size.

``python benchmarks/convert_weights.py [GB]`` (1.5 by default) writes a synthetic file, converts it, compares and deletes it.
The conversion runs in a process of its own, whose memory before and at most is measured. VmHWM counts mapped pages of the file too,
which the system takes back when it needs them; RssAnon, sampled, is what the process really holds.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import torch
from safetensors import safe_open

from helpers.weights import checkpoints

_MB = 2**20


def _status(field: str) -> int:
    """A field of /proc/self/status in bytes (Linux)."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field + ":"))
    return int(line.split()[1]) * 1024


def _measured(source: str, target: str) -> None:
    torch.zeros(1)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts from here
    before, peak, done = _status("RssAnon"), [0], threading.Event()
    total = _status("VmRSS")

    def watch() -> None:
        while not done.wait(0.01):
            peak[0] = max(peak[0], _status("RssAnon"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    checkpoints.convert(source, target, torch.float16)
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    print(json.dumps({"seconds": seconds, "own": peak[0] - before, "with the mapped file": _status("VmHWM") - total}))


def main(gigabytes: float = 1.5) -> None:
    """Print one line of results; raises ``AssertionError`` if a tensor came out otherwise than ``Tensor.to`` gives it."""
    shapes = [(10240, 1280), (1280, 5120), (1280, 1280), (1280,)]  # of SDXL's transformer blocks
    with tempfile.TemporaryDirectory(dir=Path.cwd() / "outputs") as folder:
        source, target = Path(folder) / "net.bin", Path(folder) / "net.fp16.safetensors"
        generator, state, size = torch.Generator().manual_seed(0), {}, 0
        while size < gigabytes * 1e9:
            tensor = torch.randn(shapes[len(state) % len(shapes)], generator=generator)
            state[f"block.{len(state)}.weight"] = tensor
            size += tensor.nbytes
        largest = max(tensor.nbytes for tensor in state.values())
        torch.save(state, source)
        del state
        done = subprocess.run(
            [sys.executable, __file__, "--measure", str(source), str(target)], check=True, capture_output=True, text=True
        )
        measured = json.loads(done.stdout.splitlines()[-1])
        wanted = torch.load(source, map_location="cpu", weights_only=True, mmap=True)
        with safe_open(target, "pt") as made:
            assert set(made.keys()) == set(wanted)
            for name, tensor in wanted.items():
                assert torch.equal(made.get_tensor(name), tensor.half()), name
        print(
            f"{source.stat().st_size / 1e9:.2f} GB float32, largest tensor {largest / _MB:.0f} MiB: {measured['seconds']:.1f} s; above the "
            f"start: {measured['own'] / _MB:.0f} MiB held, {measured['with the mapped file'] / _MB:.0f} MiB with mapped pages of the file"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        _measured(*sys.argv[2:])
    else:
        main(*map(float, sys.argv[1:]))
