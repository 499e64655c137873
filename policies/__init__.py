"""Who and what may go where, and why: the policy file, its gates and their verdict trees. Pure."""
