"""The embedded forge over HTTP: Git, a JSON API, pages."""
