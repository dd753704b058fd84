"""The growth table of docs/performance.md as a picture: seconds until all run, by tasks, one line for each number of workers."""

import math
import re

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 360, 60, 20, 120, 45
COLOURS = ("#1b6ca8", "#d1495b", "#3a7d44")
STYLE = "font-family='sans-serif' font-size='12' fill='#333'"


def series(page):
    """{workers: [(tasks, seconds), …]} of the table in the page's text."""
    table = page.split("<!-- fleet-growth: begin -->")[1].split("<!-- fleet-growth: end -->")[0]
    lines = {}
    for workers, tasks, seconds in re.findall(r"^\| (\d+) +\| (\d+) +\| ([\d.]+) ", table, re.M):
        lines.setdefault(int(workers), []).append((int(tasks), float(seconds)))
    return lines


class Axis:
    """A logarithmic one, over whole decades."""

    def __init__(self, values, start, end):
        self.first = math.floor(math.log10(min(values)))
        self.last = max(math.ceil(math.log10(max(values))), self.first + 1)
        self.start, self.end = start, end

    def place(self, value):
        return self.start + (math.log10(value) - self.first) / (self.last - self.first) * (self.end - self.start)

    def ticks(self):
        return [10**power for power in range(self.first, self.last + 1)]


def svg(lines):
    points = [point for line in lines.values() for point in line]
    across = Axis([tasks for tasks, _ in points], LEFT, WIDTH - RIGHT)
    up = Axis([seconds for _, seconds in points], HEIGHT - BOTTOM, TOP)
    out = [f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{HEIGHT}' viewBox='0 0 {WIDTH} {HEIGHT}'>",
           f"<rect width='{WIDTH}' height='{HEIGHT}' fill='white'/>"]
    for tick in across.ticks():
        out += [f"<line x1='{across.place(tick):.1f}' x2='{across.place(tick):.1f}' y1='{TOP}' y2='{HEIGHT - BOTTOM}' stroke='#ddd'/>",
                f"<text x='{across.place(tick):.1f}' y='{HEIGHT - BOTTOM + 16}' text-anchor='middle' {STYLE}>{tick:,}</text>"]
    for tick in up.ticks():
        out += [f"<line x1='{LEFT}' x2='{WIDTH - RIGHT}' y1='{up.place(tick):.1f}' y2='{up.place(tick):.1f}' stroke='#ddd'/>",
                f"<text x='{LEFT - 6}' y='{up.place(tick) + 4:.1f}' text-anchor='end' {STYLE}>{tick:g} s</text>"]
    for colour, (workers, line) in zip(COLOURS, lines.items()):
        places = [(across.place(tasks), up.place(seconds)) for tasks, seconds in line]
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        out += [f"<polyline points='{corners}' fill='none' stroke='{colour}' stroke-width='2'/>"]
        out += [f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3' fill='{colour}'/>" for x, y in places]
        out += [f"<text x='{places[-1][0] + 8:.1f}' y='{places[-1][1] + 4:.1f}' {STYLE.replace('#333', colour)}>{workers:,} workers</text>"]
    out += [f"<text x='{(LEFT + WIDTH - RIGHT) / 2}' y='{HEIGHT - 8}' text-anchor='middle' {STYLE}>tasks; seconds until all of them run</text>", "</svg>"]
    return "\n".join(out) + "\n"
