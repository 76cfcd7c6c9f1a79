"""From candidates to a page: which of them answer the question, and how surely."""
