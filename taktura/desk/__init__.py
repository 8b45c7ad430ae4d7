"""The service desk: tickets with their messages, worked time and its approval."""
