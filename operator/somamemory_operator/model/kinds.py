"""Where each kind lives in the Kubernetes API."""

from typing import NamedTuple

from somamemory_operator.model.names import API_VERSION, KIND, PLURAL


class Place(NamedTuple):
    """Group and version of a kind, and its plural as it stands in paths."""

    api_version: str
    plural: str

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """`/apis/apps/v1/namespaces/default/deployments/demo-api`; without namespace: all of the cluster."""
        root = f"/api/{self.api_version}" if "/" not in self.api_version else f"/apis/{self.api_version}"
        within = f"/namespaces/{namespace}" if namespace else ""
        return "/".join(part for part in (f"{root}{within}/{self.plural}", name, subresource) if part)


PLACES = {
    KIND: Place(API_VERSION, PLURAL),
    "StatefulSet": Place("apps/v1", "statefulsets"),
    "Deployment": Place("apps/v1", "deployments"),
    "Service": Place("v1", "services"),
    "ServiceAccount": Place("v1", "serviceaccounts"),
    "Secret": Place("v1", "secrets"),
    "ConfigMap": Place("v1", "configmaps"),
    "Pod": Place("v1", "pods"),
    "PersistentVolumeClaim": Place("v1", "persistentvolumeclaims"),
    "Job": Place("batch/v1", "jobs"),
    "CronJob": Place("batch/v1", "cronjobs"),
    "PodDisruptionBudget": Place("policy/v1", "poddisruptionbudgets"),
    "NetworkPolicy": Place("networking.k8s.io/v1", "networkpolicies"),
    "HorizontalPodAutoscaler": Place("autoscaling/v2", "horizontalpodautoscalers"),
    "Ingress": Place("networking.k8s.io/v1", "ingresses"),
    "ServiceMonitor": Place("monitoring.coreos.com/v1", "servicemonitors"),
    "PrometheusRule": Place("monitoring.coreos.com/v1", "prometheusrules"),
    "ExternalSecret": Place("external-secrets.io/v1", "externalsecrets"),
    "Certificate": Place("cert-manager.io/v1", "certificates"),
    "StorageClass": Place("storage.k8s.io/v1", "storageclasses"),
    "Lease": Place("coordination.k8s.io/v1", "leases"),
    "Event": Place("events.k8s.io/v1", "events"),
}
