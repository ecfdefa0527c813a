"""The documents that Talos 1.14 generates beside the root document, one module for each.

A module's `document` makes one from the `Subject`, and its docstring says what the document is for. Which
node gets which, and in which order, is told in `order`.
Source: siderolabs/talos v1.14.1, `pkg/machinery/config/generate` and `types`.
"""
