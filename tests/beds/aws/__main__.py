"""The bed as a process of its own: `python -m beds.aws [SECONDS]`, by which each answer comes later.

It prints its URL and the ids of its images as a line of JSON. Each line of its input is answered with the calls since
the last one, counted by action; it ends with its input.
"""

from __future__ import annotations

import json
import sys

from beds.aws.bed import Bed
from beds.aws.holds import Pace


def main() -> None:
    with Bed(pace=Pace(), delay_s=float(sys.argv[1]) if len(sys.argv) > 1 else 0.0) as bed:
        print(json.dumps({"url": bed.url, "images": bed.publish_talos("v1.13.9")}), flush=True)
        for _ in sys.stdin:
            counted = bed.calls()
            bed.records.clear()
            print(json.dumps(counted), flush=True)


if __name__ == "__main__":
    main()
