"""Small tools for the pages in book/: they find records, and draw tables and charts; no prose."""
