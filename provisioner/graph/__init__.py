"""Graphs: a generic DAG, and the wanted resources as one."""
