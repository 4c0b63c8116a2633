{{- define "somamemory.name" -}}
{{- .Values.nameOverride | default .Release.Name }}
{{- end }}

{{- /* A mapping without what is empty, null or no text: such a value is left to the profile. */ -}}
{{- define "somamemory.said" -}}
{{- $said := dict }}
{{- range $key, $value := . }}
{{- if not (or (kindIs "invalid" $value) (eq (toString $value) "") (and (kindIs "map" $value) (empty $value)) (and (kindIs "slice" $value) (empty $value))) }}
{{- $_ := set $said $key $value }}
{{- end }}
{{- end }}
{{- toYaml $said }}
{{- end }}

{{- define "somamemory.store" -}}
{{- $name := index . 0 }}
{{- $values := index . 1 }}
{{- if $values.external }}
{{- toYaml (dict "external" $values.external) }}
{{- else }}
{{- if eq (toString $values.enabled) "false" }}
{{- fail (printf "%s.enabled is false: say in %s.external which one is to be used instead, or set it to true" $name $name) }}
{{- end }}
{{- $volume := $values.persistence | default dict }}
{{- $persistence := include "somamemory.said" (dict "enabled" $volume.enabled "size" $volume.size "storageClassName" $volume.storageClass) | fromYaml }}
{{- $image := include "somamemory.said" ($values.image | default dict) | fromYaml }}
{{- include "somamemory.said" (dict "image" $image "persistence" $persistence "resources" $values.resources "config" $values.config) }}
{{- end }}
{{- end }}

{{- /* Variables as the spec wants them: those that are fields of it are left out. */ -}}
{{- define "somamemory.env" -}}
{{- $fields := list "UVICORN_PORT" "UVICORN_WORKERS" "SOMA_RATE_LIMIT_MAX" "SOMA_RATE_LIMIT_WINDOW_SECONDS" "SOMA_MEMORY_NAMESPACE" "SOMA_VECTOR_DIM" "SOMA_MAX_MEMORY_SIZE" "KAFKA_CONSUMER_GROUP" }}
{{- $env := list }}
{{- range $name := keys . | sortAlpha }}
{{- if not (has $name $fields) }}
{{- $env = append $env (dict "name" $name "value" (get $ $name | toString)) }}
{{- end }}
{{- end }}
{{- toYaml $env }}
{{- end }}

{{- define "somamemory.secrets" -}}
{{- $values := .Values }}
{{- $secrets := dict }}
{{- if and $values.externalSecret.enabled $values.secret.existingSecret }}
{{- fail "externalSecret.enabled and secret.existingSecret exclude each other: take one of them away" }}
{{- end }}
{{- if $values.externalSecret.enabled }}
{{- if not $values.externalSecret.secretStoreRef.name }}
{{- fail "externalSecret.secretStoreRef.name is empty: set it to the name of your SecretStore" }}
{{- end }}
{{- $chosen := omit $values.externalSecret "enabled" }}
{{- $_ := set $chosen "target" (include "somamemory.said" $chosen.target | fromYaml) }}
{{- $_ := set $secrets "source" "externalSecret" }}
{{- $_ := set $secrets "externalSecret" (include "somamemory.said" $chosen | fromYaml) }}
{{- else if $values.secret.existingSecret }}
{{- $_ := set $secrets "source" "existing" }}
{{- $_ := set $secrets "existing" (dict "name" $values.secret.existingSecret) }}
{{- else if and $values.secret.enabled $values.secret.data }}
{{- $parts := dict "SOMA_API_TOKEN" "apiToken" "POSTGRES_PASSWORD" "postgres" "REDIS_PASSWORD" "redis" "QDRANT_API_KEY" "qdrant" }}
{{- $existing := dict }}
{{- range $key, $_value := $values.secret.data }}
{{- if not (hasKey $parts $key) }}
{{- fail (printf "secret.data.%s is no secret of a SomaMemory: use %s" $key (keys $parts | sortAlpha | join ", ")) }}
{{- end }}
{{- $_ := set $existing (get $parts $key) (dict "name" (include "somamemory.inline" $)) }}
{{- end }}
{{- $_ := set $secrets "source" "existing" }}
{{- $_ := set $secrets "existing" $existing }}
{{- end }}
{{- if $values.reloader.enabled }}
{{- $_ := set $secrets "rollout" "reloader" }}
{{- end }}
{{- toYaml $secrets }}
{{- end }}

{{- define "somamemory.inline" -}}
{{- include "somamemory.name" . }}-inline-secrets
{{- end }}
