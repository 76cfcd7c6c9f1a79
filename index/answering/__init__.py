"""From candidates to a page of hits: scores, cut-off, order, copies."""
