"""What a failed call to AWS means for a run.

Missing   AWS does not know the object: it is gone, or not there yet
Busy      something still uses the object, or it is between two states
Taken     the name belongs to somebody else
"""

from __future__ import annotations

from typing import Any

from provisioner.sdk import EndpointDown, Fatal, OperatorNeeded, ProviderError, Retry, Throttled


class Missing(Fatal):
    """AWS does not know an object. `code` in the detail says which."""

    code = "missing"


class Busy(Retry):
    """An object cannot be changed or removed as long as something else has not happened."""

    code = "busy"


class Taken(Fatal):
    """There is an object of that name."""

    code = "taken"


class Mismatch(Fatal):
    """A client token was used before, for something else or for what is gone."""

    code = "mismatch"


_PREFIX = {"elbv2": "elasticloadbalancing"}
"""What permissions call a service, where it is not its own name."""
_ACTIONS = {"s3": {"HeadBucket": "ListBucket", "ListObjectVersions": "ListBucketVersions"}}

_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Forbidden", "403"})
_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_BUSY = frozenset(
    {
        "BucketNotEmpty",
        "ConflictException",
        "ConcurrentModification",
        "DeleteConflict",
        "DependencyViolation",
        "EntityTemporarilyUnmodifiable",
        "IncorrectInstanceState",
        "IncorrectState",
        "IncorrectSpotRequestState",
        "InvalidIPAddress.InUse",
        "InvalidNetworkInterface.InUse",
        "InvalidPlacementGroup.InUse",
        "InvalidSnapshot.InUse",
        "OperationAborted",
        "OperationInProgress",
        "OperationInProgressException",
        "ResourceInUse",
        "ResourceInUseException",
        "VolumeInUse",
        "VolumeModificationRateExceeded",
    }
)
_TAKEN = frozenset(
    {
        "BucketAlreadyExists",
        "BucketAlreadyOwnedByYou",
        "DuplicateListener",
        "DuplicateLoadBalancerName",
        "DuplicateTargetGroupName",
        "EntityAlreadyExists",
        "InvalidAMIName.Duplicate",
        "InvalidGroup.Duplicate",
        "InvalidPermission.Duplicate",
        "InvalidPlacementGroup.Duplicate",
        "InvalidSubnet.Conflict",
        "Resource.AlreadyAssociated",
        "RouteAlreadyExists",
    }
)
_FAILED = frozenset({"InternalError", "InternalFailure", "InternalServerError", "ServerInternal", "Unavailable"})
_CAPACITY = frozenset(
    {"InsufficientInstanceCapacity", "InsufficientCapacity", "InsufficientHostCapacity", "SpotMaxPriceTooLow"}
)
_MISMATCH = frozenset({"IdempotentParameterMismatch", "IdempotentInstanceTerminated", "IdempotentResourceTerminated"})
_QUOTA_ENDS = ("LimitExceeded", "LimitExceededException", "ExceededException")
_QUOTA_BEGINS = ("TooMany", "Max")
_MISSING_ENDS = (".NotFound", "NotFound", "NotFoundException", ".Malformed")
_MISSING_BEGINS = ("NoSuch", "NotFound")


def action(service: str, operation: str) -> str:
    """The permission that a call takes, such as `ec2:RunInstances`."""
    return f"{_PREFIX.get(service, service)}:{_ACTIONS.get(service, {}).get(operation, operation)}"


def translated(err: Exception, service: str, operation: str) -> ProviderError:
    """The error of the house's family for one of botocore's; `operation` is such as `RunInstances`."""
    from botocore import exceptions as boto  # heavy

    what = action(service, operation)
    match err:
        case boto.ClientError():
            return _refused(err, what)
        case boto.NoCredentialsError() | boto.PartialCredentialsError():
            return no_credentials(str(err))
        case boto.CredentialRetrievalError() | boto.TokenRetrievalError() | boto.UnauthorizedSSOTokenError():
            return no_credentials(str(err))
        case boto.NoRegionError():
            return no_region()
        case boto.ParamValidationError():
            return Fatal(
                "this cannot be asked of AWS",
                detail=f"{what}: {_without_values(str(err))}",
                remedy="correct the property that the detail names",
                effect=False,
            )
        case boto.HTTPClientError() | boto.ConnectionError():
            return EndpointDown("AWS does not answer", detail=f"{what}: {type(err).__name__}")
        case _:
            return Retry("an answer of AWS cannot be understood", detail=f"{what}: {type(err).__name__}", after_s=1.0)


def no_credentials(detail: str) -> OperatorNeeded:
    """There is nothing to sign calls with."""
    return OperatorNeeded(
        "there are no credentials for AWS",
        detail=detail,
        remedy="run `aws sso login`, or name a `profile:`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    )


def no_region() -> OperatorNeeded:
    """Nobody has said which region is meant."""
    return OperatorNeeded(
        "no region of AWS is named",
        detail="neither the provider block nor the environment nor the profile names one",
        remedy="add `region:` to the provider block, such as eu-west-1",
    )


def _refused(err: Any, what: str) -> ProviderError:
    code = str(err.response.get("Error", {}).get("Code", ""))
    status = int(err.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    detail = f"{what}: {code}: {_message(err)}"
    if code in _THROTTLED or status == 429:
        return Throttled("AWS asks to call less often", detail=detail, after_s=1.0)
    if code in _DENIED:
        return OperatorNeeded(
            "AWS denies the call", detail=detail, remedy=f"allow {what} to the user or role that prov runs as"
        )
    if code in _CREDENTIALS:
        return OperatorNeeded(
            "AWS does not accept the credentials", detail=detail, remedy="renew them, such as with `aws sso login`"
        )
    if code == "OptInRequired":
        return OperatorNeeded(
            "the account may not use this yet", detail=detail, remedy="subscribe to it in the AWS console first"
        )
    if code in _MISMATCH:
        return Mismatch("the token of this call was used before", detail=detail, remedy="plan again")
    if code in _CAPACITY:
        return OperatorNeeded(
            "AWS has no such machine to give at the moment",
            detail=detail,
            remedy="try again later, or take another `size` or other `zones`",
        )
    if code in _BUSY:
        return Busy("AWS is busy with the object", detail=detail, after_s=2.0)
    if code in _TAKEN or (code == "InvalidChangeBatch" and "already exists" in detail):
        return Taken(
            "AWS has another object of this name",
            detail=detail,
            remedy="give it another name, or remove the other one",
            effect=False,
        )
    if code.endswith(_MISSING_ENDS) or code.startswith(_MISSING_BEGINS) or code == "404":
        return Missing("AWS does not know the object", detail=detail, remedy="plan again", effect=False)
    if code.endswith(_QUOTA_ENDS) or code.startswith(_QUOTA_BEGINS):
        return OperatorNeeded(
            "a quota of the account is used up",
            detail=detail,
            remedy="remove what is not needed, or ask for more under Service Quotas in the AWS console",
        )
    if code in _FAILED or status >= 500:
        return Retry("AWS failed to do it", detail=detail, after_s=1.0)
    return Fatal("AWS refuses this", detail=detail, remedy="correct what the detail names", effect=False)


def _message(err: Any) -> str:
    """What AWS said, without the encoded part that only an administrator can open."""
    text = str(err.response.get("Error", {}).get("Message", ""))
    return text.partition("Encoded authorization failure message")[0].strip()


def _without_values(text: str) -> str:
    """A complaint about parameters, without what was given for them."""
    lines = (line.partition(", value:")[0] for line in text.splitlines()[1:])
    return "; ".join(lines) or "the parameters do not fit"
