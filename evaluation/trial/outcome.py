"""How a trial ends: whatever it raises becomes part of its result."""

import signal
import traceback
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

from xadbench.datasets.common.errors import NotApplicable, TrialTimeout, said
from xadbench.datasets.common.process_state import unforked

from .limits import is_out_of_memory

REASON_CHARACTERS, TRACEBACK_CHARACTERS = 2_000, 20_000


def contained(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what `work` returns, or a result that says what it raised: one fault must not end a run.

    Paths are relative to the same folder afterwards, wherever a plug-in went. A fork of this process that
    `work` leaves ends here.
    """
    try:
        with unforked(), chdir(Path.cwd()):
            return work()
    except NotApplicable as refusal:
        return not_ok("skipped", str(refusal))
    except TrialTimeout as error:
        return not_ok("timeout", str(error), traceback.format_exc())
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            raise  # where interrupts are ignored, as in workers, it is the plug-in that raised it
        status = "out-of-memory" if is_out_of_memory(error) else "error"
        return not_ok(status, said(error), traceback.format_exc())


def not_ok(status: str, reason: str, trace: str | None = None) -> dict[str, Any]:
    """Return the result of a trial without scores; long texts are cut, a traceback at its beginning."""
    short = reason if len(reason) <= REASON_CHARACTERS else f"{reason[:REASON_CHARACTERS]}..."
    end = trace and trace[-TRACEBACK_CHARACTERS:]
    return {"status": status, "reason": _as_unicode(short), "traceback": end and _as_unicode(end)}


def _as_unicode(text: str) -> str:
    """Return a text with lone surrogates, which no file can hold, spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
