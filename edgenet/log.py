"""What happens behind a result: one logger, for ``--verbose`` and for the log of a run that failed."""

from __future__ import annotations

import logging

__all__ = ["log"]

# Only details, at level DEBUG: results are returned, stages go to a Progress, failures are raised.
log = logging.getLogger("edgenet")
