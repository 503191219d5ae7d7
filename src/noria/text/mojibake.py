"""Text that was decoded with the wrong encoding, put right again."""

from __future__ import annotations

from collections.abc import Callable

from noria.errors import MissingExtra


def repairer() -> Callable[[str], str]:
    """A function that repairs one text. ASCII cannot be mojibake and is returned as it is; quotes, entities,
    line ends and width are left to others. Raises MissingExtra."""
    try:
        from ftfy import TextFixerConfig, fix_text
    except ImportError as error:
        raise MissingExtra("Repairing mojibake", "curate") from error
    config = TextFixerConfig(
        unescape_html=False,
        uncurl_quotes=False,
        fix_latin_ligatures=False,
        fix_character_width=False,
        fix_line_breaks=False,
        remove_terminal_escapes=False,
        remove_control_chars=False,
        normalization=None,
        explain=False,
    )

    def repaired(text: str) -> str:
        return text if text.isascii() else fix_text(text, config)

    return repaired
