"""Tables of what was measured, and what in them is short of what is asked."""

import statistics


def number(value):
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def spread(values):
    return f"{number(statistics.median(values))} ({number(min(values))} to {number(max(values))})"


def times(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def in_unit(row, value):
    return value * {"ms": 1000, "%": 100}.get(row.unit, 1)


def is_rate(row):
    return row.unit not in ("ms", "s")


class Table:
    """One section: `rounds` has, for each row's title, a list of rounds of {"ours", "peer", "products"}."""

    def __init__(self, title, rows, rounds, failed):
        self.title, self.rows, self.rounds, self.failed = title, rows, rounds, failed
        # Lines for the end.
        self.short = []

    def judged(self, row, what, text, good):
        if not good:
            self.short.append(f"{self.title.split(':')[0]}, {row.title}: {what} {text}")
        return text if good else f"**{text}**"

    def lines(self):
        cells = [self.cells(row) for row in self.rows]
        names = [name for name in dict.fromkeys(name for row in cells for name in row)]
        order = [name for name in COLUMNS if name in names]
        unit = next((row.unit for row in self.rows if row.kind != "share"), "")
        asked = " (asked: 5)" if any(row.kind != "share" and row.memory for row in self.rows) else ""
        heads = [COLUMNS[name].format(unit=unit, asked=asked) for name in order]
        table = [" | ".join(row.get(name, "") for name in order) for row in cells]
        return [f"## {self.title}", "", f"| {' | '.join(heads)} |", "|---" * len(order) + "|", *(f"| {line} |" for line in table), ""]

    def cells(self, row):
        if row.kind == "share":
            return self.share(row)
        cells = {"title": row.title}
        if row.title in self.failed:
            self.short.append(f"{self.title.split(':')[0]}, {row.title}: failed")
            return cells | {"ours": f"**failed**: {self.failed[row.title].splitlines()[0]}"}
        rounds = self.rounds[row.title]
        side = lambda who, key: [each[who][key] for each in rounds if who in each and key in each[who]]
        median = lambda pairs: statistics.median(a / b for a, b in pairs)
        cells["ours"] = spread([in_unit(row, value) for value in side("ours", "value")])
        if waiting := side("ours", "waiting"):
            cells["waiting"] = f"{100 * statistics.median(waiting):.1f} %"
        if calls := side("ours", "calls"):
            cells["calls"] = f"{100 * statistics.median(calls):.1f} %"
        if side("peer", "value"):
            cells["peer"] = spread([in_unit(row, value) for value in side("peer", "value")])
            pair = ("ours", "peer") if is_rate(row) else ("peer", "ours")
            ratios = {"times": median(zip(*(side(who, "value") for who in pair)))}
            if side("ours", "cpu") and side("peer", "cpu"):
                ratios["by cpu"] = median(zip(side("peer", "cpu"), side("ours", "cpu")))
            cells |= {name: times(ratio) for name, ratio in ratios.items()}
            if row.target:
                cells["asked"] = f"{row.target:g}"
                by = "by cpu" if row.per_core else "times"
                cells[by] = self.judged(row, f"asked {row.target:g} times, got", times(ratios[by]), ratios[by] >= row.target)
        elif row.peer:
            cells["peer"] = "its packages are not installed"
        if side("products", "value"):
            ratio = median(zip(side("ours", "value"), side("products", "value")))
            what = f"asked {row.of_products:g} times its products or less, got"
            cells["products"] = self.judged(row, what, times(ratio), ratio <= row.of_products)
        if row.words[:1] == ["optimizer"]:
            # What it holds from step to step is no growth.
            return cells
        if side("peer", "mib"):
            ours, peer = max(side("ours", "mib")), max(side("peer", "mib"))
            percent = 100 * ours / peer
            cells["memory"] = f"{ours:.0f} of {peer:,.0f}"
            what = f"asked {row.memory:g} % of the peer's memory or less, got"
            cells["percent"] = self.judged(row, what, f"{percent:.1f}", not row.memory or percent <= row.memory)
        elif side("ours", "mib") and not row.peer:
            cells["memory"] = f"{max(side('ours', 'mib')):.0f}"
        return cells

    def share(self, row):
        """Of the row above."""
        above = self.rows[self.rows.index(row) - 1].title
        pairs = [(a["ours"]["value"], b["ours"]["value"]) for a, b in zip(self.rounds.get(above, []), self.rounds.get(row.of, []))]
        if not pairs or above in self.failed or row.of in self.failed:
            return {"title": row.title}
        ratio = statistics.median(a / b for a, b in pairs)
        if not row.target:
            return {"title": row.title, "times": times(ratio)}
        good = ratio <= row.target if row.at_most else ratio >= row.target
        asked = f"{row.target:g} or less" if row.at_most else f"{row.target:g}"
        text = self.judged(row, f"asked {asked} times, got", times(ratio), good)
        return {"title": row.title, "times": text, "asked": asked}


COLUMNS = {
    "title": "",
    "ours": "ours, {unit}",
    "peer": "peer, {unit}",
    "times": "times",
    "by cpu": "by processor time",
    "asked": "asked",
    "products": "of its products (asked: 1.4)",
    "memory": "memory, MiB",
    "percent": "% of the peer's{asked}",
    "waiting": "waiting for data",
    "calls": "in calls to the other process",
}
