"""Writes src/ops/special/tables.ts: Chebyshev expansions of special functions, from their values to 60 digits.

Needs mpmath. Each function is expanded in a variable t in [-1, 1] that covers a range of arguments; terms below
2^-56 of the largest are left out. Run: python3 scripts/special/tables.py > src/ops/special/tables.ts
"""
from mpmath import (airyai, airybi, besseli, besselj, besselk, bessely, cos, erfc, exp, fabs, log, mp, mpf, pi, sin,
                    sqrt)

mp.dps = 60


def expand(f, n=80):
    """c with f(t) = c[0] + sum c[k] T_k(t), by the discrete orthogonality at the zeros of T_n."""
    angles = [pi * (mpf(j) + mpf(1) / 2) / n for j in range(n)]
    values = [f(cos(a)) for a in angles]
    c = [2 / mpf(n) * sum(v * cos(k * a) for v, a in zip(values, angles)) for k in range(n)]
    c[0] /= 2
    largest = max(fabs(x) for x in c)
    while fabs(c[-1]) < largest * mpf(2) ** -56:
        c.pop()
    return c


def on(low, high, f):
    """In x over [low, high]: t = (2x - low - high) / (high - low)."""
    return expand(lambda t: f((t * (high - low) + high + low) / 2))


def beyond(x0, f, power=1):
    """In (x0 / x)^power over [x0, inf): t = 2 (x0 / x)^power - 1."""
    return expand(lambda t: f(x0 / ((t + 1) / 2) ** (mpf(1) / power)))


def modulus(order, x, part):
    """J and Y as sqrt(2 / (pi x)) (P cos - Q sin)(x - (order / 2 + 1/4) pi): P, or Q x."""
    angle = x - (mpf(order) / 2 + mpf(1) / 4) * pi
    j, y, scale = besselj(order, x), bessely(order, x), sqrt(pi * x / 2)
    if part == 'P':
        return scale * (j * cos(angle) + y * sin(angle))
    return scale * (y * cos(angle) - j * sin(angle)) * x


def zeta_of(x):
    return 2 * x * sqrt(x) / 3


def airy_part(x, part):
    """Ai(-x) = (P cos + Q sin)(zeta - pi/4) / (sqrt(pi) x^(1/4)): P, or Q zeta."""
    z = zeta_of(x)
    a, b, scale = airyai(-x), airybi(-x), sqrt(pi) * sqrt(sqrt(x))
    if part == 'P':
        return scale * (a * cos(z - pi / 4) - b * sin(z - pi / 4))
    return scale * (a * sin(z - pi / 4) + b * cos(z - pi / 4)) * z


EIGHT, TWO = mpf(8), mpf(2)
TABLES = [
    ('I0E_SMALL', 'exp(-x) I0(x), x in [0, 8]', on(0, 8, lambda x: exp(-x) * besseli(0, x))),
    ('I0E_LARGE', 'sqrt(x) exp(-x) I0(x) in 8/x', beyond(EIGHT, lambda x: sqrt(x) * exp(-x) * besseli(0, x))),
    ('I1E_SMALL', 'exp(-x) I1(x) / x, x in [0, 8]', on(0, 8, lambda x: exp(-x) * besseli(1, x) / x)),
    ('I1E_LARGE', 'sqrt(x) exp(-x) I1(x) in 8/x', beyond(EIGHT, lambda x: sqrt(x) * exp(-x) * besseli(1, x))),
    ('K0_SMALL', 'K0(x) + log(x/2) I0(x) in x^2, x in (0, 2]',
     on(0, 4, lambda s: besselk(0, sqrt(s)) + log(sqrt(s) / 2) * besseli(0, sqrt(s)))),
    ('K0E_LARGE', 'sqrt(x) exp(x) K0(x) in 2/x', beyond(TWO, lambda x: sqrt(x) * exp(x) * besselk(0, x))),
    ('K1_SMALL', 'x (K1(x) - log(x/2) I1(x)) in x^2, x in (0, 2]',
     on(0, 4, lambda s: sqrt(s) * (besselk(1, sqrt(s)) - log(sqrt(s) / 2) * besseli(1, sqrt(s))))),
    ('K1E_LARGE', 'sqrt(x) exp(x) K1(x) in 2/x', beyond(TWO, lambda x: sqrt(x) * exp(x) * besselk(1, x))),
    ('J0_SMALL', 'J0(x) in x^2, x in [0, 8]', on(0, 64, lambda s: besselj(0, sqrt(s)))),
    ('J1_SMALL', 'J1(x) / x in x^2, x in [0, 8]', on(0, 64, lambda s: besselj(1, sqrt(s)) / sqrt(s))),
    ('Y0_SMALL', 'Y0(x) - 2/pi log(x) J0(x) in x^2, x in (0, 8]',
     on(0, 64, lambda s: bessely(0, sqrt(s)) - 2 / pi * log(sqrt(s)) * besselj(0, sqrt(s)))),
    ('Y1_SMALL', '(Y1(x) - 2/pi (log(x) J1(x) - 1/x)) / x in x^2, x in (0, 8]',
     on(0, 64, lambda s: (bessely(1, sqrt(s)) - 2 / pi * (log(sqrt(s)) * besselj(1, sqrt(s)) - 1 / sqrt(s))) / sqrt(s))),
    ('P0', 'the modulus of J0 and Y0 in (8/x)^2', beyond(EIGHT, lambda x: modulus(0, x, 'P'), 2)),
    ('Q0', 'x times their phase in (8/x)^2', beyond(EIGHT, lambda x: modulus(0, x, 'Q'), 2)),
    ('P1', 'the modulus of J1 and Y1 in (8/x)^2', beyond(EIGHT, lambda x: modulus(1, x, 'P'), 2)),
    ('Q1', 'x times their phase in (8/x)^2', beyond(EIGHT, lambda x: modulus(1, x, 'Q'), 2)),
    ('AI_MIDDLE', 'Ai(x), x in [-3, 3]', on(-3, 3, airyai)),
    ('AI_RIGHT', '2 sqrt(pi) x^(1/4) exp(zeta) Ai(x) in 3^(3/2) / x^(3/2), x >= 3; zeta = 2/3 x^(3/2)',
     beyond(mpf(3), lambda x: 2 * sqrt(pi) * sqrt(sqrt(x)) * exp(zeta_of(x)) * airyai(x), mpf(3) / 2)),
    ('AI_LEFT_P', 'the part of Ai(-x) with cos(zeta - pi/4), in 27 / x^3, x >= 3', beyond(mpf(3), lambda x: airy_part(x, 'P'), 3)),
    ('AI_LEFT_Q', 'zeta times the part with sin(zeta - pi/4), in 27 / x^3, x >= 3', beyond(mpf(3), lambda x: airy_part(x, 'Q'), 3)),
    ('ERFCX', '(1 + 2x) exp(x^2) erfc(x) in (x - 3.75) / (x + 3.75), x >= 0',
     expand(lambda t: (lambda x: (1 + 2 * x) * exp(x * x) * erfc(x))(mpf('3.75') * (1 + t) / (1 - t)))),
]

print('// Chebyshev expansions of special functions: c[0] + c[1] T_1(t) + ..., to double precision. Written by')
print('// scripts/special/tables.py from values to 60 digits. Not here: where each holds (bessel.ts, airy.ts, error.ts).')
print('// biome-ignore-all lint/correctness/noPrecisionLoss: every digit that the conversion to a double needs\n')
for name, what, c in TABLES:
    print(f'/** {what} */')
    print(f'export const {name}: readonly number[] = [')
    for x in c:
        print(f'  {float(x)!r},')
    print(']')
