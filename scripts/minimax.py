"""Coefficients of the polynomials in src/lower/decompose/{gamma,error}.ts that Sollya has no function for.

Remez's algorithm in mpmath: `python3 scripts/minimax.py` prints each polynomial (lowest power first, rounded to
float64) and its relative error. The product does not need this; it records where the numbers come from.
"""
from mpmath import cos, cot, digamma, erfinv, exp, findroot, log, loggamma, lu_solve, matrix, mp, mpf, pi, sin, sqrt

mp.prec = 160


def remez(f, low, high, degree, rounds=6, grid=12):
    """The polynomial p of `degree` that minimises max |p(x) / f(x) - 1| on [low, high], and that maximum."""
    low, high = mpf(low), mpf(high)
    n = degree + 2
    middle, half = (low + high) / 2, (high - low) / 2
    points = [middle - half * cos(pi * k / (n - 1)) for k in range(n)]
    cache = {}

    def sample(x):
        if x not in cache:
            cache[x] = f(x)
        return cache[x]

    scan = sorted({middle - half * cos(pi * k / (grid * n)) for k in range(grid * n + 1)})
    for _ in range(rounds):
        rows = [[((x - middle) / half) ** k for k in range(degree + 1)] + [(-1) ** i * sample(x)] for i, x in enumerate(points)]
        solution = lu_solve(matrix(rows), matrix([sample(x) for x in points]))
        scaled = list(solution[: degree + 1])

        def error(x):
            value = mpf(0)
            for c in reversed(scaled):
                value = value * ((x - middle) / half) + c
            return value / sample(x) - 1

        errors = [error(x) for x in scan]
        extrema = []  # the largest error between changes of sign
        for x, e in zip(scan, errors):
            if extrema and (e > 0) == (extrema[-1][1] > 0):
                if abs(e) > abs(extrema[-1][1]):
                    extrema[-1] = (x, e)
            else:
                extrema.append((x, e))
        while len(extrema) > n:
            extrema.pop(0 if abs(extrema[0][1]) < abs(extrema[-1][1]) else -1)
        if len(extrema) == n:
            points = [x for x, _ in extrema]
    # from powers of (x - middle) / half to powers of x
    result = [mpf(0)]
    for c in reversed(scaled):
        shifted = [mpf(0)] * (len(result) + 1)
        for k, r in enumerate(result):
            shifted[k + 1] += r / half
            shifted[k] -= r * middle / half
        shifted[0] += c
        result = shifted
    return result[: degree + 1], max(abs(e) for e in errors)


def show(name, *args, **options):
    coefficients, error = remez(*args, **options)
    print(f"{name}: relative error 2^{float(log(error, 2)):.1f}")
    print("  [" + ", ".join(repr(float(c)) for c in coefficients) + "]")


if __name__ == "__main__":
    import sys
    only = sys.argv[1:]
    root = findroot(digamma, 1.4616)
    half_log_2pi = log(2 * pi) / 2

    def stirling(z):  # z = 1/x^2
        x = 1 / sqrt(z)
        return (loggamma(x) - (x - 0.5) * log(x) + x - half_log_2pi) * x

    def asymptotic(z):
        x = 1 / sqrt(z)
        return (log(x) - 1 / (2 * x) - digamma(x)) / z

    def cotangent(z):
        f = sqrt(z)
        return (1 - pi * f * cot(pi * f)) / z

    def inverse_erf(w):
        x = sqrt(1 - exp(-w))
        return erfinv(x) / x

    fits = {
        "lgamma(2 + t) / t": lambda d=18: (lambda t: loggamma(2 + t) / t if abs(t) > 1e-20 else 1 - mp.euler, -0.75, 0.25, d),
        "stirling": lambda d=5: (stirling, mpf(10) ** -14, mpf(1) / 64, d),
        "sin(pi f) / f": lambda d=8: (lambda z: sin(pi * sqrt(z)) / sqrt(z), mpf(10) ** -20, 0.25, d),
        "digamma(2 + t) / (2 + t - root)": lambda d=28: (lambda t: digamma(2 + t) / (2 + t - root), -1, 1, d),
        "asymptotic": lambda d=10: (asymptotic, mpf(10) ** -14, mpf(1) / 9, d),
        "(1 / f - pi cot(pi f)) / f": lambda d=14: (cotangent, mpf(10) ** -16, 0.25, d),
        "erfinv centre": lambda d=23: (lambda t: inverse_erf(t + 3), mpf(10) ** -12 - 3, 3, d),
        "erfinv tail": lambda d=27: (lambda t: inverse_erf((t + 4) ** 2), sqrt(mpf(6)) - 4, mpf("2.07"), d),
    }
    for name, fit in fits.items():
        if not only:
            show(name, *fit())
        elif only[0] in name:
            for d in map(int, only[1:]):
                show(f"{name} degree {d}", *fit(d))
