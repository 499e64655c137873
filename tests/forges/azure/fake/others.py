"""People and what they may do, service hooks."""

from __future__ import annotations

from tests.forges.azure.fake import told
from tests.forges.azure.fake.calls import Request, answers
from tests.forges.azure.fake.locations import AREAS
from tests.forges.azure.fake.state import CONTRIBUTE, Failure, Group, Json, Organisation, Person, now

NAMESPACE = "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87"


@answers("GET", "ResourceAreas")
def areas(call: Request) -> Json:
    return told.listed(
        [{"id": id_, "name": name, "locationUrl": f"{call.org.url}/"} for name, id_ in AREAS.items()]
    )


@answers("GET", "ConnectionData")
def connection(call: Request) -> Json:
    user = {"id": call.by.id, "descriptor": call.by.descriptor, "providerDisplayName": call.by.display}
    user |= {
        "properties": {"Account": {"$type": "System.String", "$value": call.by.unique}},
        "isActive": True,
    }
    return {
        "authenticatedUser": user,
        "authorizedUser": user,
        "instanceId": call.by.id,
        "deploymentType": "hosted",
    }


@answers("GET", "Identities")
def identities(call: Request) -> Json:
    org, query = call.org, call.query
    expanded = query.get("queryMembership", "").lower() == "expanded"
    if "descriptors" in query:
        known = {group.descriptor: group for group in org.groups.values()}
        groups = [known[one] for one in query["descriptors"].split(",") if one in known]
        return told.listed([_group(one) for one in groups])
    wanted, how = query["filterValue"].casefold(), query["searchFilter"]
    names = {"General": lambda p: {p.unique, p.mail, p.display}, "MailAddress": lambda p: {p.mail}}[how]
    found = [one for one in org.people.values() if wanted in {name.casefold() for name in names(one)}]
    return told.listed([told.identity(one, org, expanded=expanded) for one in found])


def _group(one: Group) -> Json:
    scope, _, name = one.name.partition("/")
    return {
        "id": one.descriptor,
        "descriptor": one.descriptor,
        "providerDisplayName": f"[{scope}]\\{name}",
        "isActive": True,
        "isContainer": True,
        "members": [],
        "memberOf": [],
        "memberIds": [],
        "properties": {},
        "resourceVersion": 2,
        "metaTypeId": 0,
    }


@answers("GET", "AccessControlLists")
def access(call: Request) -> Json:
    assert call.route["securityNamespaceId"] == NAMESPACE
    bits = {one.descriptor: one.bits for one in (*call.org.people.values(), *call.org.groups.values())}
    asked = [one for one in call.query["descriptors"].split(",") if one in bits]
    entries = {
        one: {
            "descriptor": one,
            "allow": 0,
            "deny": 0,
            "extendedInfo": {"effectiveAllow": bits[one], "inheritedAllow": bits[one]} if bits[one] else {},
        }
        for one in asked
    }
    about = {"inheritPermissions": True, "token": call.query["token"], "includeExtendedInfo": True}
    return told.listed([about | {"acesDictionary": entries}])


@answers("GET", "Permissions")
def permissions(call: Request) -> Json:
    assert call.route["securityNamespaceId"] == NAMESPACE
    return told.listed([call.allowed(int(call.route["permissions"]))])


@answers("GET", "subscriptions")
def subscriptions(call: Request) -> Json:
    return told.listed([_without_secrets(one) for one in call.org.subscriptions])


def _without_secrets(one: Json) -> Json:
    inputs = {
        name: "********" if "assword" in name or name == "httpHeaders" else value
        for name, value in one["consumerInputs"].items()
    }
    return one | {"consumerInputs": inputs}


@answers("POST", "subscriptions")
def subscribe(call: Request) -> Json:
    if not call.allowed(CONTRIBUTE):
        raise Failure(
            403, "SubscriptionPermissionException", "You do not have permission to create this subscription"
        )
    return _without_secrets(subscription(call.org, call.by, call.body))


def subscription(org: Organisation, by: Person, said: Json) -> Json:
    """A service hook, that is on."""
    one: Json = {
        "id": f"00000000-0000-0000-0000-{org.number('subscription'):012}",
        "status": "enabled",
        "publisherId": said["publisherId"],
        "eventType": said["eventType"],
        "resourceVersion": said.get("resourceVersion") or "1.0",
        "eventDescription": "",
        "actionDescription": "",
        "consumerId": said["consumerId"],
        "consumerActionId": said["consumerActionId"],
        "createdBy": told.person(by, org),
        "createdDate": now(),
        "modifiedBy": told.person(by, org),
        "modifiedDate": now(),
        "publisherInputs": said["publisherInputs"],
        "consumerInputs": said["consumerInputs"],
        "probationRetries": "0",
        "url": "",
        "_links": {},
    }
    org.subscriptions.append(one)
    return one


@answers("POST", "notificationsQuery")
def notifications(call: Request) -> Json:
    query, wanted = call.body, call.body.get("resultType")
    found = [
        one
        for one in call.org.notifications
        if one["subscriptionId"] in query["subscriptionIds"]
        and wanted in {None, one["result"]}
        and one["createdDate"] >= query.get("minCreatedDate", "")[:19]
    ]
    found.sort(key=lambda one: one["createdDate"], reverse=True)
    return {**query, "results": found[: query.get("maxResults") or 100], "summary": []}
