"""From DOT text to a picture: the one door to whatever does the layout.

The system's Graphviz where it is installed, else the embedded one, which draws SVG and PostScript;
PNG is made from the SVG by resvg, GIF, JPEG and PDF from that by Pillow, if they are installed.
Both layouts are bounded in time and end at Ctrl-C.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess

from pypprof.errors import PprofError

SECONDS = 60.0  # a picture that takes longer is too large to be looked at
_INSTALL = "install Graphviz (apt install graphviz, brew install graphviz)"
# The first that the system has; resvg knows no fonts that stand for others.
_FONTS = "text { font-family: Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', 'Noto Sans', sans-serif }"
_FONT_PLACES = (
    "/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts", "/System/Library/Fonts",
    "/Library/Fonts",
)  # fmt: skip
# What XML cannot hold, escaped or not.
_INVALID = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def draw(dot: str, format_: str) -> bytes:
    """The picture of DOT text in a format of Graphviz's. PprofError when it cannot be made."""
    data = cleaned(dot)
    try:
        if shutil.which("dot"):
            return system(data, format_)
        return _without_system(data, format_)
    except (TimeoutError, subprocess.TimeoutExpired):
        raise PprofError(
            f"the layout took longer than {SECONDS:.0f} seconds: show fewer nodes (nodecount=80, or focus=...)"
        ) from None


def cleaned(dot: str) -> bytes:
    """The text with names that Graphviz would take for entities, or that SVG cannot hold, made harmless."""
    return for_xml(dot.replace("&", "&amp;")).encode()


def for_xml(text: str) -> str:
    """The text with a mark in place of each character that no XML can hold."""
    return _INVALID.sub("\ufffd", text)


def system(data: bytes, format_: str) -> bytes:
    """The layout of the system's Graphviz."""
    from graphviz.backend import dot_command, execute

    try:
        # graphviz.pipe() does this without a limit of time.
        done = execute.run_check(
            dot_command.command("dot", format_), input=data, capture_output=True, quiet=True, timeout=SECONDS
        )
    except execute.CalledProcessError as error:
        if format_ in ("svg", "ps"):
            return _without_system(data, format_)
        lines = bytes(error.stderr or b"").decode("utf-8", "replace").strip().splitlines()
        raise PprofError(f"dot failed: {lines[0] if lines else f'status {error.returncode}'}") from None
    except (execute.ExecutableNotFound, OSError) as error:
        raise PprofError(f"dot cannot be run: {error}") from None
    assert isinstance(done.stdout, bytes)
    return done.stdout


def _without_system(data: bytes, format_: str) -> bytes:
    from pypprof.render import embedded

    if format_ in ("svg", "ps"):
        return embedded.draw(data, format_, SECONDS)
    try:
        return _by_resvg(data, format_)
    except ImportError:
        raise PprofError(
            f"{format_} needs resvg and Pillow (pip install 'pypprof-shell[pictures]'), or {_INSTALL};"
            " svg and ps need nothing"
        ) from None


def _by_resvg(data: bytes, format_: str) -> bytes:
    import resvg_py

    if format_ != "png":
        import PIL.Image
    if not _has_font():
        raise PprofError(f"{format_} needs a font, and none is installed (apt install fonts-dejavu-core)")
    from pypprof.render import embedded

    # Graphviz measures in points, at 96 dots per inch as its own PNG. A PDF is printed, which shows dots.
    dpi = 192 if format_ == "pdf" else 96
    svg = embedded.draw(data, "svg", SECONDS).decode()
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, dpi=dpi, background="#ffffff", style_sheet=_FONTS))
    if format_ == "png":
        return png
    import io

    written = io.BytesIO()
    try:
        with PIL.Image.open(io.BytesIO(png)) as image:
            image.convert("RGB").save(written, "jpeg" if format_ == "jpg" else format_, quality=90, resolution=dpi)
    except (OSError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise PprofError(f"the picture is too large for {format_} ({error}): show fewer nodes") from None
    return written.getvalue()


def _has_font() -> bool:
    """Whether resvg will find any font; without one it leaves out all text and does not say so."""
    for place in _FONT_PLACES:
        for _, _, names in os.walk(os.path.expanduser(place)):
            if any(name.lower().endswith((".ttf", ".otf", ".ttc")) for name in names):
                return True
    return False
