"""Lines in an SVG, with axes from zero: no library draws less than all of it."""

from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 740, 360, 70, 50, 20, 190
COLOURS = ("#0b6e99", "#c2571a", "#3f7d20", "#7b3fa0", "#8a6d00", "#c2185b")
STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Line:
    name: str
    points: list[tuple[float, float]]
    # Measured, not computed: dots without a line.
    is_measured: bool = False


def chart(lines: list[Line], across: str, up: str) -> str:
    """With the names of what is across and up."""
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    most_x, ticks_x = _ticks(max(x for line in lines for x, _ in line.points))
    most_y, ticks_y = _ticks(max(y for line in lines for _, y in line.points))

    def at(x: float, y: float) -> tuple[float, float]:
        return round(LEFT + wide * x / most_x, 1), round(TOP + high * (1 - y / most_y), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(up)} by {escape(across)}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for value in ticks_x:
        x, y = at(value, 0)
        parts.append(f'<path d="M{x} {TOP}V{y}" stroke="#ddd"/>{_text(x, y + 18, f"{value:,g}", "middle")}')
    for value in ticks_y:
        x, y = at(0, value)
        parts.append(f'<path d="M{x} {y}H{LEFT + wide}" stroke="#ddd"/>{_text(x - 6, y + 4, f"{value:,g}", "end")}')
    parts.append(_text(LEFT + wide / 2, HEIGHT - 10, across, "middle"))
    parts.append(f'<g transform="translate(16 {TOP + high / 2}) rotate(-90)">{_text(0, 0, up, "middle")}</g>')
    for place, line in enumerate(lines):
        colour, y = COLOURS[place % len(COLOURS)], TOP + 12 + 20 * place
        where = [at(*point) for point in line.points]
        if line.is_measured:
            parts += [f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>' for x, y in where]
        else:
            drawn = " ".join(f"{x},{y}" for x, y in where)
            parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>')
        key = LEFT + wide + 12
        parts.append(f'<rect x="{key}" y="{y - 6}" width="14" height="4" fill="{colour}"/>')
        parts.append(_text(key + 20, y, line.name, "start"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{round(x, 1)}" y="{round(y, 1)}" text-anchor="{anchor}" fill="#222">{escape(text)}</text>'


def _ticks(most: float) -> tuple[float, list[float]]:
    """The end of an axis, and five or so round numbers on it."""
    power = 10.0 ** len(str(int(most))) / 10
    while most / power < 1:
        power /= 10
    step = next(each * power / 5 for each in (*STEPS, *(10 * each for each in STEPS)) if each * power >= most)
    return 5 * step, [step * number for number in range(6)]
