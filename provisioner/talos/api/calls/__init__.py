"""What can be asked of a machine: one module per service, one function per question.

A `Call` is given an open channel and answers with our own types; it knows nothing of hosts, time-outs or
certificates.
"""
