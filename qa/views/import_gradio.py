"""Import Gradio with telemetry off and without the second and a half it spends on type stubs.

At every import Gradio parses each of its components' sources to bring the `.pyi` files beside them up to date, for the
sake of editors: half of its import time, and a write into the installed package. The stubs that come with the wheel are
up to date already, so the function that does this is switched off when its module loads. Should a later Gradio name it
otherwise, nothing is switched off and the import is merely slow again.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Sequence
from types import ModuleType

_MODULE, _FUNCTION = "gradio.component_meta", "create_or_modify_pyi"
# Read by Gradio and its client while they are imported; the page must not look up a single name.
_OFFLINE = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
# Gradio's queue sums up its last 10,000 events with pandas after each one, for a dashboard that is switched off.
_NO_SUMMARY = {"GRADIO_ANALYTICS_MAX_EVENTS": "1", "GRADIO_ANALYTICS_CACHE_FREQUENCY": str(10**12)}


def import_gradio() -> ModuleType:
    """Import and return Gradio; the second call costs nothing."""
    os.environ.update(_OFFLINE | _NO_SUMMARY)
    if "gradio" in sys.modules:
        return sys.modules["gradio"]
    finder = _StubsLeftAlone()
    sys.meta_path.insert(0, finder)
    try:
        return importlib.import_module("gradio")
    finally:
        sys.meta_path.remove(finder)


class _StubsLeftAlone(importlib.abc.MetaPathFinder):
    """Finds the one module as usual and hands it to a loader that switches the one function off."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != _MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        if hasattr(module, _FUNCTION):
            setattr(module, _FUNCTION, lambda *_: None)
