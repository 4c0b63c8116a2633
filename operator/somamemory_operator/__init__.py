"""The operator of SomaMemory: one resource in, a whole memory service out.

An event about a SomaMemory or about something it owns only wakes the reconciliation of that resource, which always
looks at everything. The folders are its stages:

    process      an event wakes a key in the work queue
    cluster      what is there becomes `model.observed.World`
    resource     the resource becomes `SomaMemory`, with its profile applied
    decide       checks may refuse the spec; credentials are found or made
    manifests    what should be there becomes `model.desired.Desired`
    decide       `plan` compares the two
    reconcile    the plan is executed by server-side apply
    status       what is seen afterwards becomes `.status`

`model`, `resource`, `decide`, `manifests` and `status` are the core: no client, no clock, no randomness, no Kopf. The
others are the rim, which talks and decides nothing.
"""

__version__ = "0.1.0"
