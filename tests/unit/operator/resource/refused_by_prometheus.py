"""Values of spec.monitoring that Prometheus or its operator refuses, and the words in which we refuse them before.

Both leave a whole ServiceMonitor or PrometheusRule out for one of them, and say so only in a log. Each case was tried
on `relabel.Config.Validate` of Prometheus 3.9, on Go's text/template, or follows from PromQL (`rate(x[0s])`).
"""

from typing import Any

Spec = dict[str, Any]


def rule(**relabeling: Any) -> Spec:
    return {"monitoring": {"serviceMonitor": {"relabelings": [relabeling]}}}


def metric_rule(**relabeling: Any) -> Spec:
    return {"monitoring": {"serviceMonitor": {"metricRelabelings": [relabeling]}}}


def alert(name: str, **values: Any) -> Spec:
    return {"monitoring": {"prometheusRule": {name: values}}}


def scrape(**values: Any) -> Spec:
    return {"monitoring": {"serviceMonitor": values}}


REFUSED: dict[str, tuple[Spec, str]] = {
    "a window of nothing": (alert("latency", window="0s"), "must be longer than 0"),
    "a window of nothing in hours": (alert("stall", window="00h"), "must be longer than 0"),
    "a window without unit": (alert("errorRate", window="5"), "spec.monitoring.prometheusRule.errorRate.window"),
    "a time beyond all clocks": (
        alert("failures", **{"for": "9999999h"}),
        "spec.monitoring.prometheusRule.failures.for",
    ),
    "no interval": (scrape(interval="0s"), "must be longer than 0"),
    "no time to scrape": (scrape(scrapeTimeout="0m"), "must be longer than 0"),
    "a scrape longer than its interval": (scrape(interval="4s"), "scrapeTimeout must not be longer than interval"),
    "a broken template": (alert("volume", severity="{{ bad"), "would begin a template"),
    "an open parenthesis": (rule(targetLabel="a", regex="("), "regular expression of RE2"),
    "a lookahead": (metric_rule(targetLabel="a", regex="(?!go_).*"), "regular expression of RE2"),
    "a backreference": (rule(targetLabel="a", regex=r"(a)\1"), "regular expression of RE2"),
    "a repetition of nothing": (metric_rule(action="drop", regex="*_bucket"), "regular expression of RE2"),
    "hashmod without modulus": (rule(action="hashmod", targetLabel="a"), "modulus is missing"),
    "hashmod by nothing": (rule(action="hashmod", targetLabel="a", modulus=0), "relabelings"),
    "hashmod without target": (rule(action="hashmod", modulus=8), "targetLabel is missing"),
    "replace without target": (rule(sourceLabels=["a"], action="replace"), "targetLabel is missing"),
    "nothing said and without target": (metric_rule(regex="a"), "targetLabel is missing"),
    "lowercase without target": (rule(action="lowercase", sourceLabels=["a"]), "targetLabel is missing"),
    "uppercase with a replacement": (
        rule(action="uppercase", sourceLabels=["a"], targetLabel="b", replacement="c"),
        "take no replacement",
    ),
    "keepequal without target": (rule(action="keepequal", sourceLabels=["a"]), "targetLabel is missing"),
    "keepequal with a regex": (
        rule(action="keepequal", sourceLabels=["a"], targetLabel="b", regex="(.*)"),
        "keepequal and dropequal take",
    ),
    "dropequal with a modulus": (
        rule(action="dropequal", sourceLabels=["a"], targetLabel="b", modulus=2),
        "keepequal and dropequal take",
    ),
    "labeldrop of sources": (metric_rule(action="labeldrop", sourceLabels=["a"]), "labeldrop and labelkeep take"),
    "labelkeep with a target": (rule(action="labelkeep", regex="a", targetLabel="b"), "labeldrop and labelkeep take"),
    "labeldrop with a separator": (rule(action="labeldrop", separator=","), "labeldrop and labelkeep take"),
    "labelmap to no label": (rule(action="labelmap", regex="(.+)", replacement="a-$1"), "the name of a label"),
    "labelmap to nothing": (rule(action="labelmap", regex="(.+)", replacement=""), "the name of a label"),
    "a label that is none": (rule(targetLabel="a-b"), "targetLabel"),
}

TAKEN: dict[str, Spec] = {
    "an alert at once": alert("latency", **{"for": "0s"}),
    "a brace": alert("latency", severity="a{b}"),
    "a flag": metric_rule(action="drop", sourceLabels=["__name__"], regex="(?i)GO_.*|process_.{3}"),
    "what only RE2 knows": metric_rule(action="keep", sourceLabels=["a"], regex=r"\pL+\z|\Q(\E|x{|[[:alpha:]]"),
    "hashmod": rule(action="hashmod", sourceLabels=["a"], targetLabel="b", modulus=8),
    "lowercase with what it does anyway": rule(action="lowercase", targetLabel="b", replacement="$1", separator=";"),
    "keepequal": rule(action="keepequal", sourceLabels=["a"], targetLabel="b", separator=";"),
    "labeldrop": rule(action="labeldrop", regex="pod_.+", sourceLabels=[]),
    "labelmap": rule(action="labelmap", regex="__meta_kubernetes_pod_label_(.+)", replacement="pod_${1}"),
    "labelmap by itself": rule(action="labelmap", regex="__meta_kubernetes_pod_label_(.+)"),
    "a label taken away": metric_rule(targetLabel="b", replacement=""),
    "drop": metric_rule(action="drop", sourceLabels=["__name__"], regex="go_.*"),
}
