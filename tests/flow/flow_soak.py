#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The soak of tests/soak in short: every update is worked off once, nothing is lost, nothing stays open."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import ROOT, flow, main  # noqa: E402

sys.path.insert(0, os.path.join(ROOT, "tests", "soak"))


@flow
def two_thousand_updates(w):
    import soak
    s, wrong = soak.run(w.binary, w.db, w.scratch, 2000, limited=False, memory=False)
    assert not wrong, wrong
    assert s.done >= 2000 and s.asked > 0, (s.done, s.asked)
    log = s.program.log_text()
    assert "AddressSanitizer" not in log and "ThreadSanitizer" not in log and "runtime error:" not in log, log[-8000:]


if __name__ == "__main__":
    sys.exit(main())
