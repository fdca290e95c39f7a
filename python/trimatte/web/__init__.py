"""The service and the page to paint on; needs the extra web."""
