"""Draws pictures/<sku>.jpg, one 640x480 food card for every product in menu.yml.

Needs pyyaml and the Debian packages chromium, fonts-noto-color-emoji (OFL) and imagemagick.
Run it from the repository with .venvs/commerce/bin/python db/seed/draw_pictures.py
The drawings are tables of one line each, hence the two exemptions below.
"""
# ruff: noqa: E501
# fmt: off

import subprocess
import tempfile
from cmath import rect
from html import escape
from pathlib import Path
from random import Random

import yaml

HERE = Path(__file__).resolve().parent
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--window-size=640,640"]
TONES = {"Burgers": "38 95%", "Rice Dishes": "16 80%", "Grills": "25 22%",  # hue and saturation
         "Sides": "98 42%", "Drinks": "205 78%", "Desserts": "338 82%"}
PAGE = """<!doctype html><meta charset="utf-8"><style>body {{ margin: 0 }} .s {{ filter: drop-shadow(0 7px 7px #0005) }}
svg {{ display: block; background: linear-gradient(hsl({tone} 95%), hsl({tone} 74%)) }}
text {{ font: 100px "Noto Color Emoji"; text-anchor: middle; dominant-baseline: central; fill: hsl({tone} 20%) }}
</style><svg width="640" height="480"><linearGradient id="bun" x2="0" y2="1"><stop stop-color="#f4b663"/>
<stop offset="1" stop-color="#c97724"/></linearGradient><circle cx="320" cy="200" r="262" fill="#fff6"/>{art}
<text x="320" y="434" style="font: bold 46px Liberation Sans, sans-serif">{name}</text></svg>"""
# Where food lies on a plate, in a bowl, on a patty (there with how many bits, how large); an area is x, y, rx, ry.
PILE, HEAP, CRUMBS = (320, 198, 172, 104), (320, 180, 165, 72), (80, (320, 22, 142, 15), 13, 9)


def put(what: str, x: float, y: float, size: float = 100, turn: float = 0, css: str = "") -> str:
    """An emoji of that size in pixels, or SVG scaled to that percentage, with x, y as its origin."""
    inner = what if what.startswith("<") else f"<text>{what}</text>"
    return f'<g class="s" transform="translate({x} {y}) rotate({turn}) scale({size / 100})"><g style="{css}">{inner}</g></g>'


def path(d: str, fill: str, line: str = "none", width: float = 0) -> str:
    return f'<path d="{d}" fill="{fill}" stroke="{line}" stroke-width="{width}" stroke-linecap="round"/>'


def bits(fills: str, n: int = 600, area: tuple[int, int, int, int] = PILE, w: int = 28, h: int = 9, spin: int = 180) -> str:
    """An oval area filled with n rounded bits of food (unless told otherwise, rice), from the rim inwards."""
    (x, y, rx, ry), dice, art = area, Random(n), ""
    for i in reversed(range(n)):
        spot, turn = rect(((i + 0.3) / n) ** 0.5, i * 2.4), dice.randint(-spin, spin)
        art += f'''<rect x="{-w / 2}" y="{-h / 2}" width="{w}" height="{h}" rx="{h * 0.45}" stroke="#0002" stroke-width="{h / 14}"
            fill="{dice.choice(fills.split())}" transform="translate({x + rx * spot.real:.0f} {y + ry * spot.imag:.0f}) rotate({turn})"/>'''
    return art


def burger(layers: str) -> str:
    y, art = 312, path("M70 362 h500", "none", "#a86a3a", 26) + path("M178 308 h284 q0 44 -40 44 h-204 q-40 0 -40 -44z", BUN)
    for layer in layers.split():
        height, drawing = LAYERS.get(layer, (10, path(WAVE, layer)))
        y -= height
        art += put(drawing, 0, y)
    art += put(path("M172 0 q-2 -112 148 -116 q150 4 148 116 q-2 14 -148 14 t-148 -14z", BUN), 0, y)
    return put(art + bits("#fff3d0", 17, (320, y - 66, 96, 30), 13, 7, 40), -38, -50, 112)


def glass(top: str, low: str) -> str:
    art = put(path("M214 58 h212 l-26 304 q-2 18 -20 18 h-120 q-18 0 -20 -18z", "#fff9"), 0, 0)
    art += path("M345 330 L398 24 L446 12", "none", "#e8485c", 13)
    art += path("M226 100 h188 l-22 254 q-2 14 -16 14 h-112 q-14 0 -16 -14z", low) + path("M226 100 h188 l-8 92 q-86 60 -172 0z", top)
    return art + path("M262 118 l48 -12 l12 48 l-48 12z M334 112 l44 18 l-18 46 l-44 -18z", "#fff5", "#fff8", 5)


BUN, PATTY = "url(#bun)", "M188 0 h264 q20 0 20 22 t-20 22 h-264 q-20 0 -20 -22 t20 -22z"
WAVE = "M160 0 q16 40 32 16 t32 2 t32 -2 t32 2 t32 -2 t32 2 t32 -2 t32 2 t32 -2 q24 12 32 -16z"
LAYERS = {  # a burger's layers: height, drawing; a colour stands for lettuce or sauce of that colour
    "beef": (38, path(PATTY, "#5b2f1a") + bits("#7a4428 #43200f", *CRUMBS)),
    "chicken": (38, path(PATTY, "#d98b2b") + bits("#f2b457 #c4741c #ffd080", *CRUMBS)),
    "veggie": (38, path(PATTY, "#6d7a2e") + bits("#f2a33a #d9482b #9ccc4a #f6dc6a", *CRUMBS)),
    "tomato": (16, path("M190 8 h110 M340 8 h110", "none", "#e5402f", 22)),
    "cheese": (8, path("M164 0 h312 l-36 14 l-36 30 l-44 -30 h-70 l-40 26 l-36 -26z", "#ffc928")),
}
DISH, WELL = "M48 200 a272 172 0 1 0 544 0 a272 172 0 1 0 -544 0", "M102 200 a218 132 0 1 0 436 0 a218 132 0 1 0 -436 0"
PLATE, BLUE, DARK = (put(path(DISH, rim) + path(WELL, well), 0, 0)
                     for rim, well in (("#fff", "#f1ece4"), ("#2d7f8c", "#3c98a5"), ("#3d3632", "#544a44")))
LEAF = put(path("M20 214 Q150 20 360 38 Q540 50 628 190 Q520 366 320 370 Q130 366 20 214z", "#4d9a3b"), 0, 0)
LEAF += path("M20 214 Q320 170 628 190 M90 205 q30 -50 70 -70 M90 207 q40 50 90 70 M570 190 q-20 -40 -70 -60", "none", "#7fc268", 7)
BOWL = put(path("M100 195 a220 90 0 1 1 440 0 q-20 178 -220 178 t-220 -178z", "#fffaf2"), 0, 0)
BOWL += path("M116 195 a204 78 0 1 0 408 0 a204 78 0 1 0 -408 0", "#d9cfc4") + path("M128 285 q192 60 384 0", "none", "#f0925a", 10)
STEW = bits("#4d6b1f #6d8a2a #39521a #7a3a1a", 40, (450, 215, 80, 62), 34, 26)
EGG = path("M0 -10 v18", "none", "#fff", 80) + path("M0 5 v1", "none", "#ffb92e", 46)
SUYA = path("M90 0 h460", "none", "#e0bd8a", 8) + path("M170 0 h20 M282 0 h20 M394 0 h20", "none", "#8a4a22", 50)
SUYA += path("M226 0 h20 M338 0 h20 M450 0 h20", "none", "#aa6232", 50) + bits("#f0c27a #c8321a", 60, (320, 0, 165, 20), 7, 5)
FISH = path("M110 200 Q190 90 360 140 L470 178 L540 120 Q530 200 545 262 L470 216 Q300 300 190 262 Q120 240 110 200z", "#7d5836")
FISH += path("M250 140 l-36 104 M310 138 l-36 118 M370 150 l-34 98 M428 170 l-24 64 M165 190 v1", "none", "#3a2617", 11)
FISH += path("M125 222 q-50 10 -70 58 M140 238 q-30 20 -34 66 M118 186 q-40 -20 -60 -70", "none", "#7d5836", 6)
MOIMOI = path("M-80 70 L-54 -60 Q0 -84 54 -60 L80 70 Q0 104 -80 70z", "#dd8a3e") + path("M-40 -60 h80", "none", "#eda55c", 32)
MOIMOI += bits("#c8321a #6fae3a #b9601f", 22, (0, 16, 52, 50), 11, 6)
SCOOP = path("M-2 0 h4", "none", "#fff0bd", 172) + bits("#8a6a3a", 14, (0, 0, 60, 56), 4, 4) + path("M-44 -40 q20 -22 50 -18", "none", "#fff", 10)
BROWNIE = path("M-115 0 l120 -40 l110 40 l-112 44z", "#6b3d26") + path("M-115 0 l118 44 v66 l-118 -46z", "#3f2014")
BROWNIE += path("M3 44 l112 -44 v64 l-112 46z", "#4f2a1a") + bits("#8f5a3a #57301d", 26, (0, 2, 74, 24), 16, 5)
BOTTLE = path("M290 70 h60 v34 q44 22 44 66 v190 q0 22 -22 22 h-104 q-22 0 -22 -22 v-190 q0 -44 44 -66z", "#bfe6fbe6", "#fff", 5)
BOTTLE += path("M294 52 h52", "none", "#1d6fc4", 34) + path("M249 196 h142 v84 h-142z", "#2f8fe0")
ROAST, BAKED = "filter: saturate(1.5) brightness(.8)", "filter: saturate(1.6) hue-rotate(-8deg) brightness(.93)"
ART = {
    "BUR-001": burger("#6cbf3a beef tomato #6cbf3a") + put("🍅", 565, 330, 95),
    "BUR-002": burger("beef cheese beef cheese") + put("🧀", 560, 325, 105),
    "BUR-003": burger("#6cbf3a chicken #fff6dc #6cbf3a") + put("🍗", 560, 320, 120),
    "BUR-004": burger("beef #e02d12 tomato #e02d12") + put("🔥", 80, 310, 115) + put("🌶️", 560, 320, 120),
    "BUR-005": burger("#6cbf3a veggie tomato #6cbf3a") + put("🥬", 82, 312, 115) + put("🥕", 560, 320, 115),
    "RIC-001": PLATE + bits("#e2571c #ea6a25 #f07c34") + put("🍗", 430, 160, 165) + put("🍅", 190, 265, 85),
    "RIC-002": PLATE + bits("#f3d98a #f8e6a8 #e9c868 #5fae3c #f08a2c") + put("🥕", 460, 135, 120) + put("🌽", 180, 265, 115),
    "RIC-003": LEAF + bits("#c08a5c #a87146 #d0a074", 500, (250, 205, 135, 100)) + STEW + put(EGG, 450, 150),
    "RIC-004": BLUE + bits("#fff8e2 #fdf0cc #f7e6b8") + put("🥥", 455, 150, 170),
    "RIC-005": BLUE + bits("#fff #f4f4f0 #fafaf8") + bits("#c8321a #d9442a #a82612 #7a3a1e", 46, (320, 190, 92, 50), 40, 30),
    "GRI-001": DARK + "".join(put(SUYA, 0, y, 100, -4) for y in (150, 225, 300)) + put("🧅", 110, 300, 95) + put("🍅", 535, 305, 90),
    "GRI-002": DARK + put("🍗", 200, 205, 190, -30, ROAST) + put("🍗", 440, 190, 190, 70, ROAST) + put("🍗", 315, 215, 190, 20, ROAST),
    "GRI-003": PLATE + put(FISH, 0, 0) + put("🍋", 500, 305, 90) + put("🌶️", 330, 320, 85, 60),
    "GRI-004": DARK + bits("#8c3d1a #a54e22 #6d2c12 #9c4820 #7d3517 #d9341c #e6c3d3 #5da035", 60, PILE, 56, 36) + put("🌶️", 460, 125, 115),
    "GRI-005": DARK + put("🦐", 175, 185, 190) + put("🦐", 330, 215, 190) + put("🦐", 470, 165, 190) + put("🍋", 505, 310, 85),
    "SID-001": PLATE + put("🍟", 320, 185, 310),
    "SID-002": PLATE + bits("#f2a51f #e8931a #f7b83a", 19, PILE, 96, 60, 40) + put("🍌", 500, 120, 130),
    "SID-003": LEAF + put(MOIMOI, 250, 190, 125) + put(MOIMOI, 410, 215, 110) + put(EGG, 530, 230),
    "SID-004": BOWL + bits("#fdfbe8 #dcebb0 #fdfbe8 #f29a3c #c9dd94", 260, HEAP, 62) + put("🥬", 110, 300, 130) + put("🥕", 535, 310, 120),
    "SID-005": PLATE + put("🥟", 240, 165, 230, 0, BAKED) + put("🥟", 395, 235, 230, 0, BAKED),
    "DRI-001": glass("#7a3f1a", "#2f1206") + put("🧊", 135, 330, 100) + put("🧊", 500, 330, 100),
    "DRI-002": glass("#ff8a3c", "#dd2540") + put("🥒", 225, 75, 105) + put("🍋", 500, 325, 110) + put("🍒", 140, 320, 110),
    "DRI-003": glass("#a3134f", "#6a0a3c") + put("🌺", 220, 95, 130) + put("🍍", 505, 285, 165),
    "DRI-004": glass("#ffc02e", "#ff9a10") + put("🍊", 505, 310, 140) + put("🍊", 135, 315, 130),
    "DRI-005": put(BOTTLE, 0, 0) + put("💧", 180, 300, 110) + put("💧", 470, 270, 140),
    "DES-001": BOWL + bits("#b9702c #c98238 #a86023", 16, HEAP, 102, 98) + bits("#fff", 90, HEAP, 6, 5),
    "DES-002": BOWL + put(SCOOP, 225, 180) + put(SCOOP, 415, 180) + put(SCOOP, 320, 130) + put("🍒", 320, 45, 75),
    "DES-003": BOWL + put("🍍", 190, 110, 150) + put("🍇", 440, 120, 150) + put("🥭", 320, 100, 150) + put("🍉🍓", 320, 190, 145),
    "DES-004": PLATE + put(BROWNIE, 225, 200) + put(BROWNIE, 430, 215) + put(BROWNIE, 325, 130),
    "DES-005": PLATE + put("🍰", 320, 175, 290) + put("🍓", 520, 280, 90),
}


def main() -> None:
    (pictures := HERE / "pictures").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="draw-pictures-") as work:
        page, shot = Path(work, "card.html"), Path(work, "card.png")
        browser = ["chromium", *FLAGS, f"--user-data-dir={work}/profile", f"--screenshot={shot}", page.as_uri()]
        for product in yaml.safe_load((HERE / "menu.yml").read_text("utf-8"))["products"]:
            tone, art, out = TONES[product["category"]], ART[product["sku"]], pictures / product["picture"]
            page.write_text(PAGE.format(tone=tone, art=art, name=escape(product["name"])), "utf-8")
            subprocess.run(browser, check=True, capture_output=True, timeout=60)
            subprocess.run(["convert", shot, "-crop", "640x480+0+0", "-strip", "-quality", "80", out], check=True)


if __name__ == "__main__":
    main()
