"""The only door for provider authors. What is not listed here may change any day."""

from provisioner import PROTOCOL
from provisioner.errors import Fatal, KeyMissing, OperatorNeeded, Place, ProvError, ProviderError, Retry
from provisioner.model.address import Address
from provisioner.model.design import BootRefs, Delivery, Design, Endpoint, Machine, Slice
from provisioner.model.job import Answer, Context, Done, Job, Pending
from provisioner.model.resource import Absent, Reading, Resource, Seen, Unreachable
from provisioner.model.rollout import Rollout
from provisioner.model.schema import Schema, output, prop
from provisioner.model.step import ABSENT, FieldChange
from provisioner.model.topology import EndpointWish, Node, TalosWish, Topology
from provisioner.model.value import (
    Call,
    Function,
    Origin,
    Path,
    Ref,
    Secret,
    Sourced,
    Unknown,
    Value,
    dig,
    evaluate,
    freeze,
    has_secret,
    leaves,
    refs,
    reveal,
    strip_origins,
)
from provisioner.sdk.provider import (
    Gate,
    Infrastructure,
    Kind,
    PlansDeletion,
    Precious,
    Provider,
    TellsConsequence,
)
from provisioner.sdk.state_store import StateStore

__all__ = [
    # who a provider is
    "PROTOCOL",
    "Gate",
    "Infrastructure",
    "Kind",
    "PlansDeletion",
    "Precious",
    "Provider",
    "StateStore",
    "TellsConsequence",
    # what a verb is given and answers
    "Absent",
    "Answer",
    "Context",
    "Done",
    "Job",
    "Pending",
    "Reading",
    "Seen",
    "Unreachable",
    # errors
    "Fatal",
    "KeyMissing",
    "OperatorNeeded",
    "Place",
    "ProvError",
    "ProviderError",
    "Retry",
    # resources and their fields
    "ABSENT",
    "Address",
    "FieldChange",
    "Resource",
    "Rollout",
    "Schema",
    "output",
    "prop",
    # clusters and designs
    "BootRefs",
    "Delivery",
    "Design",
    "Endpoint",
    "EndpointWish",
    "Machine",
    "Node",
    "Slice",
    "TalosWish",
    "Topology",
    # values
    "Call",
    "Function",
    "Origin",
    "Path",
    "Ref",
    "Secret",
    "Sourced",
    "Unknown",
    "Value",
    "dig",
    "evaluate",
    "freeze",
    "has_secret",
    "leaves",
    "refs",
    "reveal",
    "strip_origins",
]
