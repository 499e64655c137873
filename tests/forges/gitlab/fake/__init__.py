"""A stand-in for GitLab: a real HTTP server on real Git repositories, which keeps GitLab's rules."""
