"""What a failed call to AWS means for a run.

Missing   AWS does not know the object: it is gone, or not there yet
Denied    it is not allowed
Busy      something still uses the object, or it is between two states
Taken     the name belongs to somebody else
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from provisioner.sdk import EndpointDown, Fatal, OperatorNeeded, ProviderError, Retry, Throttled


class Missing(Fatal):
    """AWS does not know an object. `code` in the detail says which."""

    code = "missing"


class Busy(Retry):
    """An object cannot be changed or removed as long as something else has not happened."""

    code = "busy"


class Denied(OperatorNeeded):
    """Whoever prov runs as may not do this."""

    code = "denied"


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
_DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Forbidden", "ForbiddenException", "403"}
)
_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IDPRejectedClaim",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidIdentityToken",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "UnauthorizedException",
        "UnrecognizedClientException",
    }
)
_CLOCK = frozenset({"RequestExpired", "RequestTimeTooSkewed"})
_UNTIMELY = ("Signature expired", "Signature not yet current")
"""What services say about a signature that comes too late or too early."""
_SIGNING_IN = {
    "AssumeRole": "sts",
    "AssumeRoleWithWebIdentity": "sts",
    "GetRoleCredentials": "sso",
    "CreateToken": "sso-oidc",
}
"""Calls that botocore makes by itself to get credentials, and their services."""
_NOT_OURS = "permission to access the specified resource"
"""What EC2 says of an address that a NAT gateway or balancer still holds, also for a while after that has gone."""
_FREEING = frozenset({"ReleaseAddress", "DisassociateAddress"})
_WANTED = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z0-9]+)")
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
    {
        "InsufficientAddressCapacity",
        "InsufficientCapacity",
        "InsufficientHostCapacity",
        "InsufficientInstanceCapacity",
        "InsufficientVolumeCapacity",
        "SpotMaxPriceTooLow",
        "UnfulfillableCapacity",
    }
)
_ACCOUNT = frozenset({"AccountDisabled", "Blocked", "OptInRequired", "PendingVerification"})
_RESTING = frozenset({"IncorrectModificationState", "VolumeModificationRateExceeded"})
_MISMATCH = frozenset({"IdempotentParameterMismatch", "IdempotentInstanceTerminated", "IdempotentResourceTerminated"})
_QUOTA_ENDS = ("LimitExceeded", "LimitExceededException", "ExceededException")
_QUOTA_BEGINS = ("TooMany", "Max")
_MISSING_ENDS = (".NotFound", "NotFound", "NotFoundException", ".NotAttached", ".Malformed")
_MISSING_BEGINS = ("NoSuch", "NotFound")
_UNKNOWN_YET = {
    "InvalidSecurityGroup": "",
    "InvalidSubnet": "no internet gateway",
    "InvalidTarget": "",
    "ValidationError": "is not found",
}
"""What Elastic Load Balancing says of things of EC2 that it does not know, maybe not yet; and in which words."""


def action(service: str, operation: str) -> str:
    """The permission that a call takes, such as `ec2:RunInstances`."""
    return f"{_PREFIX.get(service, service)}:{_ACTIONS.get(service, {}).get(operation, operation)}"


def translated(err: Exception, service: str, operation: str) -> ProviderError:
    """The error of the house's family for one of botocore's; `operation` is such as `RunInstances`."""
    from botocore import exceptions as boto  # heavy

    what = action(service, operation)
    match err:
        case boto.ClientError():
            signing_in = _SIGNING_IN.get(err.operation_name)
            return _refused(err, action(signing_in, err.operation_name) if signing_in else what)
        case boto.NoCredentialsError() | boto.PartialCredentialsError() | boto.CredentialRetrievalError():
            return no_credentials(str(err))
        case boto.TokenRetrievalError() | boto.SSOError() | boto.LoginError() | boto.NoAuthTokenError():
            return no_credentials(str(err))
        case boto.MetadataRetrievalError() | boto.RefreshWithMFAUnsupportedError():
            return no_credentials(str(err))
        case boto.NoRegionError():
            return no_region()
        case boto.InvalidRegionError() | boto.UnknownRegionError() | boto.EndpointProviderError():
            return no_such_region(str(err))
        case boto.InvalidConfigError() | boto.MissingDependencyException() | boto.UnknownCredentialError():
            return unusable(err)
        case boto.ParamValidationError():
            return Fatal(
                "this cannot be asked of AWS",
                detail=f"{what}: {_without_values(str(err))}",
                remedy="correct the property that the detail names",
                effect=False,
            )
        case boto.SSLError() if "certificate" in str(err).lower():
            return OperatorNeeded(
                "the certificate of an endpoint is not trusted",
                detail=f"{what}: {_host(err)}",
                remedy="where a proxy opens connections, name its authority's file in AWS_CA_BUNDLE",
            )
        case boto.HTTPClientError() | boto.ConnectionError():
            return EndpointDown(
                "AWS does not answer",
                detail=f"{what}: {_host(err)}: {type(err).__name__}",
                remedy="see that it can be reached from here, through a proxy or private endpoint if need be",
            )
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


def no_such_region(detail: str, like: str = "regions are called like eu-west-1") -> OperatorNeeded:
    """What is named is no region; `like` says which there are."""
    return OperatorNeeded(
        "there is no such region of AWS",
        detail=detail,
        remedy=f"correct `region:` in the provider block, AWS_REGION, or the profile; {like}",
    )


def unusable(err: Exception) -> OperatorNeeded:
    """What botocore reads on this machine does not do."""
    return OperatorNeeded(
        "the configuration of AWS on this machine cannot be used",
        detail=str(err),
        remedy="correct the profile in ~/.aws/config, or name another under `profile:`",
    )


def _refused(err: Any, what: str) -> ProviderError:
    code = str(err.response.get("Error", {}).get("Code", ""))
    status = int(err.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    detail = f"{what}: {code}: {_message(err)}"
    if code in _THROTTLED or status == 429:
        return Throttled("AWS asks to call less often", detail=detail, after_s=1.0)
    if found := _about_who_asks(code, what, detail):
        return found
    if code in _MISMATCH:
        return Mismatch("the token of this call was used before", detail=detail, remedy="plan again")
    if code in _CAPACITY or (code == "Unsupported" and "Availability Zone" in detail):
        return OperatorNeeded(
            "AWS has no such machine to give at the moment",
            detail=detail,
            remedy="try again later, or take another `size` or other `zones`",
        )
    if code in _RESTING:
        return Fatal(
            "the disk was changed a short while ago",
            detail=detail,
            remedy="apply again once AWS takes another change of it, six hours after the last one",
            effect=False,
        )
    if code in _BUSY or (code == "InvalidTarget" and "running state" in detail):
        return Busy("AWS is busy with the object", detail=detail, after_s=2.0)
    if code in _TAKEN or (code == "InvalidChangeBatch" and "already exists" in detail):
        return Taken(
            "AWS has another object of this name",
            detail=detail,
            remedy="give it another name, or remove the other one",
            effect=False,
        )
    if code in _UNKNOWN_YET and _UNKNOWN_YET[code] in detail:
        return Missing("AWS does not know what this refers to", detail=detail, remedy="plan again", effect=False)
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


def _about_who_asks(code: str, what: str, detail: str) -> ProviderError | None:
    """What is refused because of who asks, or when; None for anything else."""
    if code in _CLOCK or any(words in detail for words in _UNTIMELY):
        return OperatorNeeded(
            "AWS finds the time of a call wrong",
            detail=detail,
            remedy="set the clock of this machine right, such as with chrony or systemd-timesyncd",
        )
    if code in _DENIED:
        named = _WANTED.search(detail)
        allow = f"allow {named[1] if named else what} to the user or role that prov runs as"
        if "service control policy" in detail:
            allow = f"a policy of the organization denies it; ask who keeps that to {allow}"
        elif what == "sts:AssumeRole":
            allow += ", and let the role's trust policy name it"
        return Denied("AWS denies the call", detail=detail, remedy=allow)
    if code == "AuthFailure" and _NOT_OURS in detail and what.partition(":")[2] in _FREEING:
        return Busy("AWS is busy with the object", detail=detail, after_s=5.0)
    if code == "AuthFailure" and "credentials" not in detail:
        return Fatal(
            "AWS does not let the account use this",
            detail=detail,
            remedy="correct what the detail names, or have its owner share it with the account",
            effect=False,
        )
    if code in _CREDENTIALS:
        return OperatorNeeded(
            "AWS does not accept the credentials",
            detail=detail,
            remedy="renew them, such as with `aws sso login`; where they are good, see that the account has enabled "
            "the region",
        )
    if code in _ACCOUNT:
        return OperatorNeeded(
            "the account may not use this yet",
            detail=detail,
            remedy="subscribe to it, enable the region, or wait for the account's verification, in the AWS console",
        )
    if code == "OperationNotPermitted" and ("protection" in detail or "disableApi" in detail):
        return OperatorNeeded(
            "somebody has protected the object at AWS",
            detail=detail,
            remedy="take the protection off in the AWS console, and apply again",
        )
    return None


def _host(err: Any) -> str:
    """Where a call went, without the rest of the URL."""
    return urlsplit(str(err.kwargs.get("endpoint_url") or "")).hostname or "the endpoint"


def _message(err: Any) -> str:
    """What AWS said, without the encoded part that only an administrator can open."""
    text = str(err.response.get("Error", {}).get("Message", ""))
    return text.partition("Encoded authorization failure message")[0].strip()


def _without_values(text: str) -> str:
    """A complaint about parameters, without what was given for them."""
    lines = (line.partition(", value:")[0] for line in text.splitlines()[1:])
    return "; ".join(lines) or "the parameters do not fit"
