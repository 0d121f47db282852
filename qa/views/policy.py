"""The content security policy: no script but this server's own files, and those inline in the page, by their hashes.

Gradio starts its own scripts inline, with the page's configuration in them, so their hashes are taken as the page goes
out. What comes into the page later (text of articles set as HTML, handlers in attributes, `javascript:` links) has no
hash and does not run. Gradio compiles templates, hence 'unsafe-eval'. What a script could still do is bounded by the
rest: no address but this server's own can be reached, framed or submitted to.
"""

from __future__ import annotations

import base64
import hashlib
import re

_INLINE = re.compile(rb"<script(?![^>]*\ssrc\s*=)[^>]*>(.*?)</script", re.DOTALL | re.IGNORECASE)


def policy_of(page: bytes = b"") -> str:
    """Return the Content-Security-Policy under which exactly the inline scripts of `page`, HTML in UTF-8, may run."""
    return "; ".join(
        (
            "default-src 'self'",
            " ".join(("script-src 'self' 'unsafe-eval'", *map(_hash, _INLINE.findall(page)))),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _hash(script: bytes) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"
