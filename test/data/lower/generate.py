"""Makes reference.json: points of the transcendental functions with their values to twice the precision of float64.

`python3 test/data/lower/generate.py` (mpmath). For each function and float type, base64 of little-endian float64
tuples: the operands, the value rounded to float64, and what that lacks. Operands are numbers of the type, spread
evenly and by magnitude over where the function is neither constant nor infinite, with hard cases of each.
"""
import base64
import json
import random
import struct
from pathlib import Path

import mpmath
from mpmath import mp, mpf

mp.prec = 1400  # sin(1e308) needs over 1100 bits
random.seed(1)
POINTS = 200


def inverse_erf(x):
    with mpmath.workprec(200):
        return mpmath.erfinv(x)


def with_precision(f, bits=400):
    def g(*x):
        with mpmath.workprec(bits):
            return f(*x)

    return g


#  name: (function, uniform ranges, ranges of magnitudes (decades, with both signs or not), hard cases)
FUNCTIONS = {
    "exp": (mpmath.exp, [(-1, 1), (-100, 88), (-745, 709)], [(-10, 0, True)], [88.72, -87.4, -103.9, 709.7, -708.5, -745.1]),
    "exp2": (lambda x: mpf(2) ** x, [(-1, 1), (-149, 127), (-1070, 1023)], [(-10, 0, True)], [0.5, -126.5, 3, -1022.5]),
    "expm1": (mpmath.expm1, [(-1, 1), (-20, 80), (-40, 700)], [(-30, 0, True)], [0.34657, 0.34658, -0.34657, -0.34658]),
    "log": (mpmath.log, [(0.5, 2), (0, 100)], [(-300, 300, False), (-45, 38, False)], [1e-310, 1e-40, 0.99999, 1.00001]),
    "log2": (lambda x: mpmath.log(x, 2), [(0.5, 2), (0, 100)], [(-300, 300, False), (-45, 38, False)], [1e-310, 1e-40, 8, 0.125]),
    "log10": (mpmath.log10, [(0.5, 2), (0, 100)], [(-300, 300, False), (-45, 38, False)], [1e-310, 1e-40, 10, 100, 1000]),
    "log1p": (mpmath.log1p, [(-1, 1), (0, 100)], [(-30, 0, True), (0, 38, False)], [-0.99999, 0.41421, -0.29289]),
    "sin": (mpmath.sin, [(-10, 10), (-1000, 1000)], [(-20, 38, True), (0, 300, True)], [mpmath.pi, 22, 1e22, 6381956970095103 * 2.0**797, 5.319372648326541e255, 16367173 * 2.0**72]),
    "cos": (mpmath.cos, [(-10, 10), (-1000, 1000)], [(-20, 38, True), (0, 300, True)], [mpmath.pi / 2, 11, 1e22, 6381956970095103 * 2.0**797, 16367173 * 2.0**72]),
    "tan": (mpmath.tan, [(-10, 10), (-1000, 1000)], [(-20, 38, True), (0, 300, True)], [mpmath.pi / 2, 11, 1e22, 6381956970095103 * 2.0**797, 16367173 * 2.0**72]),
    "asin": (with_precision(mpmath.asin), [(-1, 1)], [(-30, 0, True)], [0.5, 0.7, 0.99999, -0.49999]),
    "acos": (with_precision(mpmath.acos), [(-1, 1)], [(-30, 0, True)], [0.5, 0.99999, -0.99999, -0.49999]),
    "atan": (with_precision(mpmath.atan), [(-2, 2), (-50, 50)], [(-30, 30, True)], [1, 1.0000001]),
    "sinh": (with_precision(mpmath.sinh), [(-2, 2), (-88, 88), (-700, 700)], [(-30, 0, True)], [89.1, 710.3]),
    "cosh": (with_precision(mpmath.cosh), [(-2, 2), (-88, 88), (-700, 700)], [(-10, 0, True)], [89.1, 710.3]),
    "tanh": (with_precision(mpmath.tanh), [(-1, 1), (-10, 10), (-20, 20)], [(-30, 0, True)], [0.55, 0.5501]),
    "asinh": (with_precision(mpmath.asinh), [(-2, 2), (-50, 50)], [(-30, 38, True), (0, 300, True)], [8192, 8193]),
    "acosh": (with_precision(mpmath.acosh), [(1, 2), (1, 50)], [(0.001, 38, False), (1, 300, False)], [1.0000001, 8192, 8193]),
    "atanh": (with_precision(mpmath.atanh), [(-1, 1)], [(-30, 0, True)], [0.99999, -0.999999]),
    "erf": (with_precision(mpmath.erf), [(-1, 1), (-4, 4), (-6, 6)], [(-30, 0, True)], [0.65, 0.9999, 3.9, 5.8]),
    "erfc": (with_precision(mpmath.erfc), [(-1, 1), (-6, 10), (0, 26.5)], [(-10, 0, True)], [0.45, 10.05, 26.5]),
    "erfinv": (inverse_erf, [(-1, 1), (0.9, 1), (-1, -0.99)], [(-30, 0, True)], [0.99999994, 0.9975]),
    "lgamma": (with_precision(lambda x: mpmath.re(mpmath.loggamma(x))), [(-0.5, 3), (0, 12), (8, 100)], [(-30, 0, True), (0, 35, False)], [1.46163, 1.0001, 1.9999, 2.25, 1.25]),
    "digamma": (with_precision(mpmath.digamma), [(0, 3), (0, 20)], [(-30, 30, False)], [1.4616321449683623, 1.46, 0.9999, 2.9999]),
    "pow": (lambda x, y: x**y, [((0, 2), (-10, 10)), ((0, 100), (-20, 20)), ((0.9, 1.1), (-700, 700))], [((-30, 30), (-2, 1))], [(2, 10), (10, -3), (0.5, 149), (2, 127.5), (1.0000001, 1e8)]),
    "atan2": (with_precision(mpmath.atan2), [((-2, 2), (-2, 2)), ((-50, 50), (-1, 1))], [((-30, 30), (-30, 30))], [(1, -1), (1e-30, -1), (3, 3)]),
}
LARGEST = {"f32": 3.4028234663852886e38, "f64": 1.7976931348623157e308}


def as_type(x, type):
    try:
        return struct.unpack("<f", struct.pack("<f", x))[0] if type == "f32" else float(x)
    except OverflowError:
        return None


def magnitude(low, high, both):
    x = 10.0 ** random.uniform(low, high)
    return -x if both and random.random() < 0.5 else x


def operands(uniform, decades, hard, arity):
    """Endless: the hard cases, then random points."""
    for h in hard:
        yield h if arity == 2 else (h,)
    while True:
        if random.random() < 0.7:
            ranges = random.choice(uniform)
            yield tuple(random.uniform(*r) for r in (ranges if arity == 2 else (ranges,)))
        else:
            ranges = random.choice(decades)
            yield tuple(magnitude(*r, False) for r in ranges) if arity == 2 else (magnitude(*ranges),)


DOMAINS = {
    ("asin", "acos", "atanh", "erfinv"): lambda x: abs(x) < 1,
    ("acosh",): lambda x: x >= 1,
    ("log", "log2", "log10", "digamma", "pow"): lambda x: x > 0,
    ("log1p",): lambda x: x > -1,
    ("lgamma",): lambda x: x > -0.5 and x != 0,
}


def reference(name, type):
    function, *points = FUNCTIONS[name]
    arity = 2 if name in ("pow", "atan2") else 1
    inside = next((domain for names, domain in DOMAINS.items() if name in names), lambda x: True)
    values = []
    for point in operands(*points, arity):
        if len(values) == POINTS * (arity + 2):
            return base64.b64encode(struct.pack(f"<{len(values)}d", *values)).decode()
        x = [as_type(float(v), type) for v in point]
        if None in x or not inside(x[0]):
            continue
        value = function(*(mpf(v) for v in x))
        if 0 < abs(value) < LARGEST[type]:
            head = float(value)
            values += [*x, head, float(value - mpf(head))]


if __name__ == "__main__":
    table = {name: {type: reference(name, type) for type in ("f32", "f64")} for name in FUNCTIONS}
    text = ",\n".join(f'"{name}": {json.dumps(entry)}' for name, entry in table.items())
    Path(__file__).with_name("reference.json").write_text("{\n" + text + "\n}\n")
