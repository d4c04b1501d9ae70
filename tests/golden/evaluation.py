"""Weighted metrics, curves and class metrics by scikit-learn, for tests/test_prior_shift.c,
tests/test_metric_curves.c and tests/test_class_metrics.c.

    python3 tests/golden/evaluation.py > tests/golden/golden_evaluation.h

Binary samples are those of metrics.py. Class sample i of 300: p of class j of 4 is
1 + (i (7 j + 3) + 11 j) mod 16, plus 9 for the label (i + i / 7) mod 3 when i mod 3 is not 0, over
their sum; nobody is of class 3.
"""
import numpy as np
import sklearn
from sklearn import metrics as m

P = 0.023
p = np.array([(37 * i % 41) / 40 for i in range(200)])
label = np.array([int((53 * i + i * i) % 7 < 2 + 3 * (q > 0.5)) for i, q in enumerate(p)])
hard = (p >= 0.4).astype(int)
w = np.where(label == 1, P / label.sum(), (1 - P) / (len(label) - label.sum()))
at = {"sample_weight": w}
bins = np.minimum((p * 15).astype(int), 14)
values = {
    "accuracy": m.accuracy_score(label, hard, **at),
    "precision": m.precision_score(label, hard, **at),
    "recall": m.recall_score(label, hard, **at),
    "specificity": m.recall_score(label, hard, pos_label=0, **at),
    "f1": m.f1_score(label, hard, **at),
    "f0.5": m.fbeta_score(label, hard, beta=0.5, **at),
    "auc": m.roc_auc_score(label, p, **at),
    "pr_auc": m.average_precision_score(label, p, **at),
    "brier": m.brier_score_loss(label, p, **at),
    "ece": sum(abs(np.sum((w * (p - label))[bins == b])) for b in range(15)) / w.sum(),
}


def points(name, *columns):
    print(f"static const double {name}[][{len(columns)}] = {{")
    for row in zip(*columns):
        print("    {" + ", ".join("INFINITY" if np.isinf(v) else f"{v:.15g}" for v in row) + "},")
    print("};")


print(f"/* Made by tests/golden/evaluation.py with scikit-learn {sklearn.__version__}. */")
print(f"#define GOLDEN_SHARE {P}")
print("static const struct {\n    const char *name;\n    double value;\n} golden_shifted[] = {")
for name, value in values.items():
    print(f'    {{"{name}", {value:.17g}}},')
print("};")
fpr, tpr, threshold = m.roc_curve(label, p, drop_intermediate=False)
points("golden_roc", fpr, tpr, threshold)
for name, weight in (("golden_pr", None), ("golden_pr_shifted", w)):
    precision, recall, threshold = m.precision_recall_curve(label, p, sample_weight=weight)
    points(name, recall[-2::-1], precision[-2::-1], threshold[::-1])

K, N = 4, 300
i, j = np.arange(N)[:, None], np.arange(K)[None, :]
which = (np.arange(N) + np.arange(N) // 7) % 3
score = 1.0 + (i * (7 * j + 3) + 11 * j) % 16
score[np.arange(N), which] += 9 * (np.arange(N) % 3 != 0)
score /= score.sum(axis=1, keepdims=True)
choice = score.argmax(axis=1)
print("static const size_t golden_confusion[4][4] = {" + ", ".join(
    "{" + ", ".join(map(str, row)) + "}"
    for row in m.confusion_matrix(which, choice, labels=range(K))) + "};")
f1 = m.f1_score(which, choice, labels=[0, 1, 2], average="macro")
print(f"static const double golden_macro_f1 = {f1:.15g};")
auc = np.mean([m.roc_auc_score(which == c, score[:, c]) for c in range(3)])
print(f"static const double golden_macro_auc = {auc:.15g};")
