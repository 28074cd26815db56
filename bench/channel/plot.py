"""The picture: replies per second over conversations, as an SVG written by hand."""

from __future__ import annotations

from pathlib import Path

from bench.channel.figures import Figures
from deploy.prepare import ROOT

PICTURE = ROOT / "docs" / "pictures" / "bench-channel.svg"
WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 60, 150, 40, 50
COLOURS = {"Chatcart": "#0b7a53", "stock": "#b4530a"}
DASHES = ("", "6 4", "2 3")
"""One for each time of the API, in the order of the measurements."""


def save_plot(*systems: Figures) -> Path:
    """Draw what was measured; the file."""
    rows = [row for figures in systems for row in figures.rows]
    columns = sorted({row.conversations for row in rows})
    delays = list(dict.fromkeys(row.api_milliseconds for row in rows))
    top = _round_up(max(row.outcome.per_second for row in rows))
    parts = [*_frame(columns, top)]
    for system in dict.fromkeys(row.system for row in rows):
        for delay, dash in zip(delays, DASHES, strict=False):
            speeds = {
                row.conversations: row.outcome.per_second
                for row in rows
                if (row.system, row.api_milliseconds) == (system, delay)
            }
            points = [(_x(columns, n), _y(top, speed)) for n, speed in sorted(speeds.items())]
            parts += _line(points, COLOURS.get(system, "#333"), dash, f"{system}, API {delay} ms")
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="sans-serif" font-size="12" fill="#222">\n'
        "<title>Replies per second through the signed webhook</title>\n"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )
    return PICTURE.relative_to(ROOT)


def _frame(columns: list[int], top: float) -> list[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [f'<text x="{LEFT}" y="22" font-size="14">Replies per second</text>']
    for step in range(5):
        value = top * step / 4
        y = _y(top, value)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    for column in columns:
        x = _x(columns, column)
        parts.append(f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{column}</text>')
    middle = (LEFT + right) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">conversations at once</text>')
    return parts


def _line(points: list[tuple[float, float]], colour: str, dash: str, title: str) -> list[str]:
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    stroke = f' stroke-dasharray="{dash}"' if dash else ""
    x, y = points[-1]
    return [
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"{stroke}/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points),
        f'<text x="{x + 8:.1f}" y="{y + 4:.1f}" fill="{colour}">{title}</text>',
    ]


def _x(columns: list[int], value: int) -> float:
    step = (WIDTH - LEFT - RIGHT) / max(len(columns) - 1, 1)
    return LEFT + columns.index(value) * step


def _y(top: float, value: float) -> float:
    return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)


def _round_up(value: float) -> float:
    step = 10.0
    while value > step * 10:
        step *= 10
    return max(-(-value // step) * step, step)
