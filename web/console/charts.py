"""Charts as SVG, each to be shown as an image: no script of theirs runs, and their styles stay with them."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence

import pygal
from pygal.style import Style
from starlette.responses import Response

# An image of ours may be styled by itself; nothing else is allowed to it.
HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
GREEN, AMBER = "#0b6b57", "#b7791f"
STYLE = Style(
    background="transparent",
    plot_background="transparent",
    foreground="#17211c",
    foreground_strong="#17211c",
    foreground_subtle="#d5dcd6",
    colors=(GREEN, AMBER),
    font_family="system-ui, sans-serif",
    label_font_size=13,
    major_label_font_size=13,
    legend_font_size=13,
    value_font_size=13,
    value_colors=("#17211c", "#17211c"),
    no_data_font_size=18,
    guide_stroke_color="#d5dcd6",
    major_guide_stroke_color="#d5dcd6",
    guide_stroke_dasharray="0",
    major_guide_stroke_dasharray="0",
)
MOST_LABELS, MOST_TICKS = 8, 6

Format = Callable[[float], str]

# pygal 3.1.3 leaves a finder behind that Python 3.12 cannot ask any more (for maps, which nobody draws here):
# with it, an optional module that is not installed ends in an AttributeError instead of an ImportError.
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]


def bars(labels: Sequence[str], series: dict[str, Sequence[float]], form: Format) -> Response:
    """Upright bars over labels, one on the other where there are several series."""
    chart = pygal.StackedBar(**_options(form), show_legend=len(series) > 1, height=320)
    every = -(-len(labels) // MOST_LABELS)
    chart.x_labels = list(labels)
    chart.x_labels_major = list(labels)[::every]
    chart.show_minor_x_labels = False
    return _drawn(chart, series)


def lying_bars(labels: Sequence[str], values: Sequence[float], form: Format) -> Response:
    """Bars that lie, the first on top, each with its value."""
    options = _options(form)
    height = 90 + 34 * max(len(labels), 3)
    chart = pygal.HorizontalBar(**options, show_legend=False, print_values=True, height=height)
    chart.x_labels = list(labels)[::-1]
    return _drawn(chart, {"": list(values)[::-1]})


def _options(form: Format) -> dict[str, object]:
    return {
        "style": STYLE,
        "width": 720,
        "js": (),
        "margin": 12,
        "legend_at_bottom": True,
        "value_formatter": form,
        "no_data_text": "Nothing yet",
        "truncate_label": -1,
        "include_x_axis": True,
    }


def ticks(top: float) -> list[int]:
    """Whole numbers for an axis up to `top`: 1, 2 or 5 times a power of ten apart."""
    apart = next(
        step * 10**power for power in range(12) for step in (1, 2, 5) if step * 10**power * MOST_TICKS >= top
    )
    return list(range(0, math.ceil(top / apart) * apart + 1, apart))


def _drawn(chart: pygal.graph.graph.Graph, series: dict[str, Sequence[float]]) -> Response:
    chart.y_labels = ticks(max((sum(each) for each in zip(*series.values(), strict=True)), default=0))
    for name, values in series.items():
        chart.add(name, list(values) if any(values) else [])
    return Response(chart.render(is_unicode=False), media_type="image/svg+xml", headers=HEADERS)
