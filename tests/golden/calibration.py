"""Calibrations by scikit-learn and SciPy, for tests/test_calibration.c.

    python3 tests/golden/calibration.py > tests/golden/golden_calibration.h

Sample i of 400: logit ((37 i mod 101) - 50) / 8, label 1 when ((53 i + i i) mod 17) / 17 is below
sigmoid(0.6 logit - 1.2). Class sample i of 300: logit j of 4 is ((i (7 j + 3) + 11 j) mod 64) / 16
- 2, plus 1 for the label (i + i / 7) mod 4 when i mod 3 is not 0.
"""
import numpy as np
import scipy
import sklearn
from scipy.optimize import minimize, minimize_scalar
from sklearn.calibration import _sigmoid_calibration
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import log_loss

N, P = 400, 0.1
i = np.arange(N)
z = ((37 * i % 101) - 50) / 8
y = ((53 * i + i * i) % 17 / 17 < 1 / (1 + np.exp(1.2 - 0.6 * z))).astype(int)
ones, zeros = y.sum(), N - y.sum()
plain = np.ones(N)
shifted = np.where(y == 1, P * N / ones, (1 - P) * N / zeros)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def temperature(w):
    loss = lambda t: log_loss(y, sigmoid(z / np.exp(t)), sample_weight=w)
    return float(np.exp(minimize_scalar(loss, bounds=(-5, 5), method="bounded",
                                        options={"xatol": 1e-13}).x))


def platt(w):
    target = np.where(y == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    loss = lambda v: np.sum(w * (np.logaddexp(0, v[0] * z + v[1]) - target * (v[0] * z + v[1])))
    a, b = minimize(loss, [1, 0], method="BFGS", options={"gtol": 1e-9}).x
    return 1 / a, b


def isotonic(w):
    """Values of the pools and mean logits of the samples in them; 0 and 1 as half a sample says."""
    rising = IsotonicRegression(y_min=0.5 * w[y == 1][0] / N, y_max=1 - 0.5 * w[y == 0][0] / N)
    value = rising.fit(z, y, sample_weight=w).predict(z)
    pools = np.unique(np.round(value, 12))
    members = [np.abs(value - p) < 1e-9 for p in pools]
    return [(np.average(z[m], weights=w[m]), value[m][0]) for m in members]


# scikit-learn's own Platt scaling is stopped early by its tolerance, and agrees as far as that.
own = _sigmoid_calibration(z, y)
assert np.allclose([-1 / own[0], -own[1]], platt(plain), rtol=1e-3), (own, platt(plain))

K, M = 4, 300
m, j = np.arange(M)[:, None], np.arange(K)[None, :]
label = (np.arange(M) + np.arange(M) // 7) % K
logits = (m * (7 * j + 3) + 11 * j) % 64 / 16 - 2
logits[np.arange(M), label] += np.arange(M) % 3 != 0


def softmax(t):
    e = np.exp(logits / t - (logits / t).max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


classes = minimize_scalar(lambda t: log_loss(label, softmax(np.exp(t)), labels=range(K)),
                          bounds=(-5, 5), method="bounded", options={"xatol": 1e-13})

print(f"/* Made by tests/golden/calibration.py with scikit-learn {sklearn.__version__} and SciPy "
      f"{scipy.__version__}.\n * [1]: as if positives made up {P} of the samples. */")
print(f"#define GOLDEN_PREVALENCE {P}")
print(f"static const double golden_temperature[2] = {{{temperature(plain):.12g}, "
      f"{temperature(shifted):.12g}}};")
print("static const double golden_platt[2][2] = {" + ", ".join(
    f"{{{t:.12g}, {b:.12g}}}" for t, b in (platt(plain), platt(shifted))) + "};")
print(f"static const double golden_nll = {log_loss(y, sigmoid(z)):.12g};")
print(f"static const double golden_classes = {np.exp(classes.x):.12g};")
print(f"static const double golden_classes_nll = {log_loss(label, softmax(1), labels=range(K)):.12g};")
brier = np.mean(np.sum((softmax(1) - np.eye(K)[label]) ** 2, axis=1))
print(f"static const double golden_classes_brier = {brier:.12g};")
for name, w in (("plain", plain), ("shifted", shifted)):
    print(f"static const double golden_isotonic_{name}[][2] = {{")
    print("".join(f"    {{{a:.12g}, {b:.12g}}},\n" for a, b in isotonic(w)) + "};")
