"""Models on disk: what can be had, what is here, and how it comes here.

    from lowvox import models

    models.find("recognizer", "de")     # the best one that is installed, or the error that names the command

Loads no engine. Only `lowvox.models.install` knows archives and the network; it is imported where it is used.
"""

from __future__ import annotations

from lowvox.models.catalogue import Quality, Record, records
from lowvox.models.choose import advice, candidates, find, speaking
from lowvox.models.store import Installed, installed

__all__ = ["Installed", "Quality", "Record", "advice", "candidates", "find", "installed", "records", "speaking"]
