/* Made by tests/golden/tsne.py with scikit-learn 1.9.1. */
static const struct {
    double variance[5], total, score[5]; /* absolute, of vector 7 */
    int to[5];                           /* of row 7 */
    double p[5];
    double trust_5, trust_12;            /* of the first two numbers */
    double map_trust, map_divergence;    /* of its own map, 12 neighbours */
} golden_tsne = {
    .variance = {3.796702311, 3.449775555, 2.59609056, 2.015358369, 1.555170724},
    .total = 21.1095084897,
    .score = {0.04019403757, 3.358056314, 0.4578409892, 0.4524430936, 1.800081394},
    .to = {347, 487, 587, 167, 297},
    .p = {0.000455916312, 0.0002226419558, 0.0001273902992, 3.345404236e-05, 8.787570376e-06},
    .trust_5 = 0.701048423423,
    .trust_12 = 0.686240087895,
    .map_trust = 0.985527132894,
    .map_divergence = 0.617753088474,
};
