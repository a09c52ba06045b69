"""Cost of understanding with 45,000 made-up site names: `python tests/bench/bench_understanding.py`.

Prints the seconds until ready, the memory used, and p50, p99 and worst milliseconds a message on the development set.
"""

from __future__ import annotations

import gc
import json
import random
import resource
import sys
import time
from datetime import datetime
from pathlib import Path

from intents.reading import Context, Place
from intents.understand import Understanding

HERE = Path(__file__).parent
LINES = HERE.parent / "understanding" / "dev.jsonl"
FIRST = "安临德长平新永武清海江山石龙金白大东西南北上下云水花木林桥湖溪泉"
SECOND = "安宁川河塘源州丰康城口岭坪湾洲浦港坑垟畈埠桥头村山峰谷潭溪泽亭岗沙"


def places(count: int) -> list[Place]:
    """Townships below counties below cities, each with a handful of spellings."""
    draw = random.Random(7)
    found = []
    for number in range(count):
        county = draw.choice(FIRST) + draw.choice(SECOND)
        town = draw.choice(FIRST) + draw.choice(SECOND) + draw.choice(["", draw.choice(SECOND)])
        suffix = draw.choice(["镇", "乡", "街道"])
        aliases = (town + suffix, f"{county}{town}", f"{county}{town}{suffix}")
        found.append(Place(f"S{number}", f"{county}县{town}{suffix}分会场", aliases,
                           f"{county}县{town}{suffix}政府", "township", f"{county}县水利局"))
    return found


def main() -> int:
    records = [json.loads(line) for line in LINES.read_text(encoding="utf-8").splitlines()]
    lexicon = places(45_000)
    before = time.perf_counter()
    understanding = Understanding(lexicon)
    ready = time.perf_counter() - before
    gc.collect()
    gc.freeze()  # as the bot does: the lexicon never dies, so the collector need not walk it
    costs = []
    for record in records:
        context = Context(datetime.fromisoformat(record["now"]), record["role"], record["chat"],
                          record["expecting"], record["step"])
        started = time.perf_counter()
        understanding.read(record["text"], context)
        costs.append((time.perf_counter() - started) * 1000)
    costs.sort()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"ready {ready:.2f} s · {memory:.0f} MB · p50 {costs[len(costs) // 2]:.3f} ms · "
          f"p99 {costs[len(costs) * 99 // 100]:.3f} ms · worst {costs[-1]:.3f} ms · {len(costs)} messages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
