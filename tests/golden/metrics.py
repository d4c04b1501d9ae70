"""Metrics of a small set with many ties by scikit-learn, for tests/test_metrics.c.

    python3 tests/golden/metrics.py > tests/golden/golden_metrics.h

Sample i of 200: p = (37 i mod 41) / 40, label 1 when (53 i + i i) mod 7 < 2 + 3 (p > 0.5).
"""
import sklearn
from sklearn import metrics as m

p = [(37 * i % 41) / 40 for i in range(200)]
label = [int((53 * i + i * i) % 7 < 2 + 3 * (q > 0.5)) for i, q in enumerate(p)]
hard = [int(q >= 0.4) for q in p]
values = {
    "accuracy": m.accuracy_score(label, hard),
    "precision": m.precision_score(label, hard),
    "recall": m.recall_score(label, hard),
    "specificity": m.recall_score(label, hard, pos_label=0),
    "f1": m.f1_score(label, hard),
    "f0.5": m.fbeta_score(label, hard, beta=0.5),
    "auc": m.roc_auc_score(label, p),
    "pr_auc": m.average_precision_score(label, p),
    "brier": m.brier_score_loss(label, p),
}
print(f"/* Made by tests/golden/metrics.py with scikit-learn {sklearn.__version__}. */")
print("static const struct {\n    const char *name;\n    double value;\n} golden_metrics[] = {")
for name, value in values.items():
    print(f'    {{"{name}", {value:.17g}}},')
print("};")
