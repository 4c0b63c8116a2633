"""The custom resource: the models that users' specs are read with, their presets, and the CRD made from them.

Imports `model` only. A field's default is that of the profile `development`; none of them is written into the CRD,
because a server-side default would show up as drift in GitOps tools.
"""
