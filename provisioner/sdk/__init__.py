"""The only door for provider authors. What is not listed here may change any day."""

from provisioner import PROTOCOL
from provisioner.errors import (
    EndpointDown,
    Fatal,
    KeyMissing,
    OperatorNeeded,
    Place,
    ProvError,
    ProviderError,
    Retry,
    Throttled,
    did_you_mean,
)
from provisioner.model.address import Address
from provisioner.model.design import BootRefs, Delivery, Design, Endpoint, Machine, Slice
from provisioner.model.job import Answer, Context, Done, Finished, Job, Pending, TaskState, Working
from provisioner.model.owned import Owned
from provisioner.model.resource import Absent, Reading, Resource, Seen, Unreachable
from provisioner.model.rollout import Rollout, Watch
from provisioner.model.schema import Schema, output, prop
from provisioner.model.step import ABSENT, FieldChange, Run, Update
from provisioner.model.topology import PUBLIC_FACTORY, STOCK_SCHEMATIC, EndpointWish, Node, TalosWish, Topology
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
from provisioner.sdk.channels import Channel, channel
from provisioner.sdk.download import Downloads, Fetched, cache_folder
from provisioner.sdk.provider import (
    Acts,
    AnyKind,
    Claims,
    Expands,
    Gate,
    Imports,
    Infrastructure,
    Kind,
    Limited,
    Limits,
    ListsOwned,
    LookUpKind,
    PlansDeletion,
    Precious,
    Provider,
    ReadsTables,
    TellsConsequence,
)
from provisioner.sdk.state_store import StateStore

__all__ = [
    # who a provider is
    "PROTOCOL",
    "Acts",
    "AnyKind",
    "Claims",
    "Expands",
    "Gate",
    "Imports",
    "Infrastructure",
    "Kind",
    "Limited",
    "Limits",
    "ListsOwned",
    "LookUpKind",
    "PlansDeletion",
    "Precious",
    "Provider",
    "ReadsTables",
    "StateStore",
    "TellsConsequence",
    # what a verb is given and answers
    "Absent",
    "Answer",
    "Context",
    "Done",
    "Finished",
    "Job",
    "Owned",
    "Pending",
    "Reading",
    "Seen",
    "TaskState",
    "Unreachable",
    "Working",
    # errors
    "EndpointDown",
    "Fatal",
    "KeyMissing",
    "OperatorNeeded",
    "Place",
    "ProvError",
    "ProviderError",
    "Retry",
    "Throttled",
    "did_you_mean",
    # resources and their fields
    "ABSENT",
    "Address",
    "FieldChange",
    "Resource",
    "Rollout",
    "Run",
    "Schema",
    "Update",
    "Watch",
    "output",
    "prop",
    # clusters and designs
    "PUBLIC_FACTORY",
    "STOCK_SCHEMATIC",
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
    # how configurations travel
    "Channel",
    "channel",
    # files from elsewhere
    "Downloads",
    "Fetched",
    "cache_folder",
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
