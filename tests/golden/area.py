"""Two worked examples of area estimation by the papers' own equations, for
tests/test_area_estimate.c; numpy only.

- Olofsson et al., "Good practices for estimating area and assessing accuracy of land change",
  Remote Sensing of Environment 148 (2014), section 5;
- Stehman, "Estimating area and map accuracy for stratified random sampling when the strata are
  different from the map classes", International Journal of Remote Sensing 35 (2014), table 2.

    python3 tests/golden/area.py >tests/golden/golden_area.h
    python3 tests/golden/area.py --paper    # beside what the papers print
"""
import sys
import numpy as np

CLASSES = ["deforestation", "forest gain", "stable forest", "stable non-forest"]
N = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]], float)
MAPPED = np.array([200000, 150000, 3200000, 6450000], float)  # pixels of 30 m
HECTARES = 0.09


def estimate(n, mapped):
    """Equations 1 to 11, with the map's classes as strata, without finite population correction."""
    w = mapped / mapped.sum()
    rows = n.sum(1)
    p = w[:, None] * n / rows[:, None]  # eq. 4
    overall, user = np.trace(p), np.diag(p) / p.sum(1)  # eq. 1, 2
    producer = np.diag(p) / p.sum(0)  # eq. 3
    v_overall = (w**2 * user * (1 - user) / (rows - 1)).sum()  # eq. 5
    v_user = user * (1 - user) / (rows - 1)  # eq. 6
    v_producer = np.empty(len(w))
    for j in range(len(w)):  # eq. 7
        total = (mapped / rows * n[:, j]).sum()
        other = sum(
            mapped[i] ** 2 * n[i, j] / rows[i] * (1 - n[i, j] / rows[i]) / (rows[i] - 1)
            for i in range(len(w)) if i != j)
        own = mapped[j] ** 2 * (1 - producer[j]) ** 2 * user[j] * (1 - user[j]) / (rows[j] - 1)
        v_producer[j] = (own + producer[j] ** 2 * other) / total**2
    share = p.sum(0)  # eq. 9
    q = n / rows[:, None]
    v_share = ((w[:, None] ** 2) * q * (1 - q) / (rows[:, None] - 1)).sum(0)  # eq. 10
    return dict(overall=overall, overall_error=v_overall**0.5, user=user, user_error=v_user**0.5,
                producer=producer, producer_error=v_producer**0.5, share=share,
                share_error=v_share**0.5)


# Stratum, map class and true class of 40 samples, ten of each stratum.
S = "A" * 10 + "B" * 10 + "C" * 10 + "D" * 10
M = "AAAAAAABBB" + "ABBBBBBBBB" + "BBCCCCCCBB" + "D" * 10
R = "AAAAACBABC" + "ABBBBBAABB" + "CCCCCDDBBA" + "DDDDDDDCCB"
PIXELS = dict(A=40000, B=30000, C=20000, D=10000)


def ratio(y, x):
    """Ratio of two totals over strata, and its standard error."""
    total_y = total_x = 0
    for h, size in PIXELS.items():
        inside = np.array([s == h for s in S])
        total_y += size * y[inside].mean()
        total_x += size * x[inside].mean()
    r, variance = total_y / total_x, 0
    for h, size in PIXELS.items():
        inside = np.array([s == h for s in S])
        a, b = y[inside], x[inside]
        spread = a.var(ddof=1) + r**2 * b.var(ddof=1) - 2 * r * np.cov(a, b)[0, 1]
        variance += size**2 * (1 - len(a) / size) * spread / len(a)
    return r, variance**0.5 / total_x


def stehman():
    m, r = np.array(list(M)), np.array(list(R))
    one, right = np.ones(len(m)), (m == r) * 1.0
    out = dict(overall=[ratio(right, one)])
    out["share"] = [ratio((r == k) * 1.0, one) for k in "ABCD"]
    out["user"] = [ratio(right * (m == k), (m == k) * 1.0) for k in "ABCD"]
    out["producer"] = [ratio(right * (r == k), (r == k) * 1.0) for k in "ABCD"]
    out["cell_bc"] = [ratio(((m == "B") & (r == "C")) * 1.0, one)]
    return out


def sample_size(mapped, expected, error):
    """Equation 13."""
    w, s = mapped / mapped.sum(), np.sqrt(expected * (1 - expected))
    return (w * s).sum() ** 2 / (error**2 + (w * s**2).sum() / mapped.sum())


def main():
    e = estimate(N, MAPPED)
    area = e["share"] * MAPPED.sum() * HECTARES
    error = e["share_error"] * MAPPED.sum() * HECTARES
    size = sample_size(MAPPED, np.array([0.7, 0.6, 0.9, 0.95]), 0.01)
    if "--paper" in sys.argv:
        print("overall %.3f +- %.3f (0.95 +- 0.02)" % (e["overall"], 1.96 * e["overall_error"]))
        for k, name in enumerate(CLASSES):
            print("%-18s user %.2f +- %.2f, producer %.2f +- %.2f, area %.0f ha +- %.0f, %.0f px"
                  % (name, e["user"][k], 1.96 * e["user_error"][k], e["producer"][k],
                     1.96 * e["producer_error"][k], area[k], 1.96 * error[k],
                     area[k] / HECTARES))
        print("sample size %.1f (641)" % size)
        for name, values in stehman().items():
            print("Stehman", name, " ".join("%.3f (%.3f)" % pair for pair in values))
        return
    print("/* Made by tests/golden/area.py with numpy %s. */" % np.__version__)
    print("static const double olofsson_sample_size = %.17g;" % size)
    print("static const double olofsson_overall[2] = {%.17g, %.17g};"
          % (e["overall"], e["overall_error"]))
    for name, a, b in [("user", e["user"], e["user_error"]),
                       ("producer", e["producer"], e["producer_error"]),
                       ("hectares", area, error)]:
        rows = ", ".join("{%.17g, %.17g}" % pair for pair in zip(a, b))
        print("static const double olofsson_%s[4][2] = {%s};" % (name, rows))
    for name, values in stehman().items():
        rows = ", ".join("{%.17g, %.17g}" % pair for pair in values)
        print("static const double stehman_%s[%d][2] = {%s};" % (name, len(values), rows))


main()
