"""Times in Spanish and Portuguese, spelled so that the library that reads dates takes them whole."""

from __future__ import annotations

import re

from shop.errors import TimeNotUnderstood

_SPOKEN = re.compile(
    r"\b(?:hoy|ma[ñn]ana|pasado|ahora|hoje|amanh[ãa]|agora|daqui|a\s+las|a\s+la\s+\d|às|d[ií]as?|horas?|minutos?|semana"
    r"|lunes|martes|mi[ée]rcoles|jueves|viernes|s[áa]bado|domingo|segunda|ter[çc]a|quarta|quinta|sexta"
    r"|medio\s?d[ií]a|meio[\s-]dia|media\s?noche|meia[\s-]noite|noche|noite)\b",
    re.IGNORECASE,
)
"""Words of Spanish or Portuguese by which times are told, and no words of English or French."""
_NOON = r"(?:(?:a las?|[àa]s)\s+)?(?:12\s+(?:del|do)|al?|ao)\s+(?:medio\s?d[ií]a|meio[\s-]dia)"
_HOURS = r"\s*(?:h(?!oras?)|hs|hrs|horas?)"
_SPELLED = tuple(
    (re.compile(rf"\b{pattern}\b", re.IGNORECASE), instead)
    for pattern, instead in (
        (r"pasado\s+mañana", "en 2 días"),
        (r"depois\s+de\s+amanhã", "em 2 dias"),
        (_NOON, "12:00"),
        (r"a\s+la(?=\s+\d)", "a las"),
        (rf"(las|[àa]s)\s+(\d{{1,2}}){_HOURS}", r"\1 \2:00"),
        (r"(las|[àa]s)\s+(\d{1,2})h(\d{2})", r"\1 \2:\3"),
        (r"(\d{1,2}(?::\d{2})?)\s+(?:de\s+la|da)\s+(?:tarde|noche|noite)", r"\1 pm"),
        (r"(\d{1,2}(?::\d{2})?)\s+(?:de\s+la|da)\s+(?:mañana|manhã)", r"\1 am"),
    )
)
_HOUR_NAMES = (
    "una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce"
    "|uma|duas|três|quatro|cinco|seis|sete|oito|nove|dez|onze|doze"
)
_UNREAD = re.compile(
    rf"\b(?:las?|[àa]s|pras)\s+(?:{_HOUR_NAMES})\b"
    r"|\b(?:(?:por|en|a)\s+la|à|de)\s+(?:mañana|manhã|tarde|noche|noite)\b"
    r"|\b(?:y|e)\s+(?:media|meia|cuarto|quinze)\b|\b(?:media\s?noche|meia[\s-]noite|semana)\b"
    r"|\bd[ií]a\s+\d",
    re.IGNORECASE,
)
"""What would be left out, and then another hour or day be understood."""


def readable_time(typed: str) -> tuple[str, list[str]]:
    """The words with their hours in figures, and the languages to read them in.

    "pasado mañana a las 8 de la noche" becomes "en 2 días a las 8 pm". English and French stay as they are
    and are read without the others, whose short words they share ("set" is September, "do" a Sunday).

    Raises:
        TimeNotUnderstood: a time of day is named in a way that cannot be read.
    """
    if not _SPOKEN.search(typed):
        return typed, ["en", "fr"]
    for pattern, instead in _SPELLED:
        typed = pattern.sub(instead, typed)
    if _UNREAD.search(typed):
        raise TimeNotUnderstood()
    return typed, ["en", "fr", "es", "pt"]
