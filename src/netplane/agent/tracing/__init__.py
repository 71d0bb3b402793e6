"""What the agent answers operators: traces of made packets and what the tables hold, in words."""
