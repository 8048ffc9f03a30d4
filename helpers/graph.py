"""Minimum cut, geodesic distance and connectivity on a graph given by its pairs of neighbours."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order, connected_components, dijkstra, maximum_flow

FIRM = 1000.0
"""A unary weight that no boundary outweighs."""
_STEPS = 1000.0
"""SciPy's flow is over integers: this many steps to one."""


def adjacency(pairs: np.ndarray, weight: np.ndarray, count: int) -> sparse.csr_matrix:
    """Symmetric (n, n) matrix from ``pairs`` (m, 2) and their ``weight`` (m,)."""
    i, j = pairs.T
    return sparse.csr_matrix((np.tile(weight, 2), (np.r_[i, j], np.r_[j, i])), shape=(count, count))


def geodesic(graph: sparse.csr_matrix, sources: np.ndarray) -> np.ndarray:
    """(n,) length of the shortest path from any of ``sources`` (indices); infinite where there is none."""
    if not len(sources):
        return np.full(graph.shape[0], np.inf)
    return dijkstra(graph, indices=sources, min_only=True)


def components(pairs: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(n,) number of the connected part of ``inside`` that each node is in; every node outside is a part of its own."""
    i, j = pairs[inside[pairs].all(axis=1)].T
    graph = sparse.coo_matrix((np.ones(len(i)), (i, j)), shape=(len(inside),) * 2)
    return connected_components(graph, directed=False)[1]


def connected(pairs: np.ndarray, inside: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """(n,) bool, the connected parts of ``inside`` that hold one of ``seeds`` (indices)."""
    part = components(pairs, inside)
    return inside & np.isin(part, part[seeds])


def min_cut(pairs: np.ndarray, unary: np.ndarray, pairwise: np.ndarray) -> np.ndarray:
    """(n,) bool, true where the cut puts a node on the inside; ``unary`` (n,) is negative where it wants to be inside.

    Minimises the sum of ``unary`` over the inside plus ``pairwise`` (m,) >= 0 over the pairs cut, by Dinic's algorithm.
    """
    n = len(unary)
    i, j = pairs.T
    u = np.round(np.clip(unary, -FIRM, FIRM) * _STEPS).astype(np.int32)
    p = np.maximum(np.round(pairwise * _STEPS), 1).astype(np.int32)
    inside, outside = np.flatnonzero(u < 0), np.flatnonzero(u > 0)
    source, sink = n, n + 1
    rows = np.concatenate([i, j, np.full(len(inside), source), outside])
    columns = np.concatenate([j, i, inside, np.full(len(outside), sink)])
    network = sparse.csr_matrix((np.concatenate([p, p, -u[inside], u[outside]]), (rows, columns)), shape=(n + 2, n + 2))
    residual = network - maximum_flow(network, source, sink, method="dinic").flow
    residual.data = np.maximum(residual.data, 0)
    residual.eliminate_zeros()
    side = np.zeros(n + 2, bool)
    side[breadth_first_order(residual, source, return_predecessors=False)] = True
    return side[:n]
