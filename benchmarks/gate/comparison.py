"""Compares counted numbers with the table. Nothing is measured here, so tests can check it."""

SLACK = 0.02  # smaller changes are ignored
UPDATE = "make gate-update"
INSTRUCTIONS = "instructions"


def why_not_counted(build, recorded, *, has_valgrind):
    """Say why instructions are not counted on this machine, or return None if they are.

    `build` is the compiler and the instruction set of the program that is counted, `recorded` those of the table.
    """
    if not has_valgrind:
        return "instructions: left out, valgrind is not installed"
    if build != recorded:
        mine, theirs = (f"{one['compiler']}, {one['simd']}" for one in (build, recorded))
        return f"instructions: left out, built with {mine}, the table with {theirs}"
    return None


def complaints(table, found, *, counted=True):
    """Return one sentence for each difference between the entries of the table and those found.

    Both map the name of a case to its numbers, less being better, and its picture's checksum. Without `counted`
    the table's instructions have nothing to be compared with.
    """
    gone = [name for name in table if name not in found]
    lines = [f"{name}: in the table, but no longer among the cases: {UPDATE}" for name in gone]
    for name, numbers in found.items():
        if name not in table:
            lines.append(f"{name}: not in the table: {UPDATE}")
            continue
        old = table[name]
        if numbers["picture"] != old["picture"]:
            lines.append(f"{name}: its picture is another one than the table's: {UPDATE}")
            continue
        metrics = (set(numbers) | set(old)) - {"picture"} - (set() if counted else {INSTRUCTIONS})
        for metric in sorted(metrics):
            lines.extend(_complaint(f"{name}, {metric}", old.get(metric), numbers.get(metric)))
    return lines


def _complaint(what, old, new):
    if new is None:
        yield f"{what}: in the table, but no longer found: {UPDATE}"
    elif old is None:
        yield f"{what}: not in the table: {UPDATE}"
    elif new > (1 + SLACK) * old:
        yield f"{what}: {_change(old, new)} worse; if that is the price of something better: {UPDATE}"
    elif new < (1 - SLACK) * old:
        yield f"{what}: {_change(old, new)} better, keep it: {UPDATE}"


def _change(old, new):
    relative = f"{abs(new / old - 1):.1%} " if old else ""
    return f"{old:,} -> {new:,}, {relative}".rstrip()


def merged(table, found):
    """Return the entries of a new table. Instructions that were not counted stay as they were."""
    return {
        name: {
            **({INSTRUCTIONS: table[name][INSTRUCTIONS]} if INSTRUCTIONS in table.get(name, {}) else {}),
            **numbers,
        }
        for name, numbers in found.items()
    }
