"""The call graph: nodes, weights, edges, tags, trimming."""
