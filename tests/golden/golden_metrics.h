/* Made by tests/golden/metrics.py with scikit-learn 1.9.1. */
static const struct {
    const char *name;
    double value;
} golden_metrics[] = {
    {"accuracy", 0.65000000000000002},
    {"precision", 0.61788617886178865},
    {"recall", 0.76767676767676762},
    {"specificity", 0.53465346534653468},
    {"f1", 0.68468468468468469},
    {"f0.5", 0.64297800338409472},
    {"auc", 0.70927092709270922},
    {"pr_auc", 0.67014030669649693},
    {"brier", 0.23043749999999999},
};
