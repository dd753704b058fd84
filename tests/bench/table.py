"""The tables of the benches."""


class Table:
    """Rows of text, and whether every limit was kept."""

    def __init__(self, title, heads):
        self.title, self.rows, self.missed = title, [heads], []

    def add(self, *cells):
        self.rows.append([str(cell) for cell in cells])

    def limit(self, what, value, bound, unit="", least=False, spread=""):
        """`bound`: the most that is allowed, or with `least` the least; `spread`: of the value, for people."""
        kept = value >= bound if least else value <= bound
        word = "at least" if least else "at most"
        self.add(what, f"{value:.3g}{unit}{spread}", f"{word} {bound:.3g}{unit}", "kept" if kept else "MISSED")
        if not kept:
            self.missed.append(f"{what}: {value:.3g}{unit}, {word} {bound:.3g}{unit}")

    def text(self):
        widths = [max(len(row[column]) if column < len(row) else 0 for row in self.rows) for column in range(len(self.rows[0]))]
        lines = [f"### {self.title}", ""]
        for number, row in enumerate(self.rows):
            cells = row + [""] * (len(widths) - len(row))
            lines.append("| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths)) + " |")
            if number == 0:
                lines.append("|" + "|".join("-" * (width + 2) for width in widths) + "|")
        return "\n".join(lines) + "\n"
