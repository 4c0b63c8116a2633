"""The operator of SomaMemory: one resource in, a whole memory service out.

An event about a SomaMemory or about something it owns only wakes the reconciler of that resource. The reconciler
always looks at everything: `observed.World` is what is there, `checks` may refuse the spec, `credentials` finds or
makes the passwords, `manifests.build` says what should be there, `plan` compares the two, the rim carries the plan
out by server-side apply, and `status` reports what is seen afterwards.

Everything named so far is pure: no client, no clock, no randomness, no Kopf. Those live in the rim (`cluster`,
`reconciler`, `handlers` and their neighbours), which decides nothing.
"""

__version__ = "0.1.0"
