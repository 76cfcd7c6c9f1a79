"""Which links are most like a query, among those that may answer."""
