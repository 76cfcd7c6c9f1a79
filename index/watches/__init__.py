"""Questions that are kept, and that each new link is judged by."""
