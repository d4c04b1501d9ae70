"""Principal components, affinities, trustworthiness and t-SNE by scikit-learn, for
tests/test_tsne.c.

    python3 tests/golden/tsne.py > tests/golden/golden_tsne.h

Vector i of 600 is in cluster i mod 10; its number j of 20 is 3 u(1, 20 (i mod 10) + j) +
2 u(2, 20 i + j) - 1 with u(stream, index) of tests/golden/philox.py, seed 11.
"""
import numpy as np
import sklearn
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness
from sklearn.manifold._t_sne import _joint_probabilities_nn
from sklearn.neighbors import NearestNeighbors

import philox

N, D, CLUSTERS, PERPLEXITY, K = 600, 20, 10, 20, 12
centre = 3 * philox.uniform(11, 1, CLUSTERS * D).reshape(CLUSTERS, D)
x = centre[np.arange(N) % CLUSTERS] + 2 * philox.uniform(11, 2, N * D).reshape(N, D) - 1

pca = PCA(5, svd_solver="full").fit(x)
total = x.var(axis=0, ddof=1).sum()
graph = NearestNeighbors(n_neighbors=3 * PERPLEXITY + 1).fit(x).kneighbors_graph(mode="distance")
graph.data **= 2
p = _joint_probabilities_nn(graph, PERPLEXITY, verbose=0).tocsr()
row = p[7]
best = np.argsort(-row.data)[[0, 1, 2, 10, 30]]
tsne = TSNE(perplexity=PERPLEXITY, init="pca", random_state=0, max_iter=1000)
y = tsne.fit_transform(x)


def numbers(values):
    return ", ".join(f"{v:.10g}" for v in values)


print(f"/* Made by tests/golden/tsne.py with scikit-learn {sklearn.__version__}. */")
print("static const struct {\n"
      "    double variance[5], total, score[5]; /* absolute, of vector 7 */\n"
      "    int to[5];                           /* of row 7 */\n    double p[5];\n"
      "    double trust_5, trust_12;            /* of the first two numbers */\n"
      "    double map_trust, map_divergence;    /* of its own map, 12 neighbours */\n"
      "} golden_tsne = {")
print(f"    .variance = {{{numbers(pca.explained_variance_)}}},")
print(f"    .total = {total:.12g},")
print(f"    .score = {{{numbers(abs(pca.transform(x[7:8])[0]))}}},")
print(f"    .to = {{{', '.join(str(c) for c in row.indices[best])}}},")
print(f"    .p = {{{numbers(row.data[best])}}},")
print(f"    .trust_5 = {trustworthiness(x, x[:, :2], n_neighbors=5):.12g},")
print(f"    .trust_12 = {trustworthiness(x, x[:, :2], n_neighbors=K):.12g},")
print(f"    .map_trust = {trustworthiness(x, y, n_neighbors=K):.12g},")
print(f"    .map_divergence = {tsne.kl_divergence_:.12g},")
print("};")
