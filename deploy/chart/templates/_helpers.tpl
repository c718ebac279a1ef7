{{- define "gateway.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "gateway.labels" -}}
{{ include "gateway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "gateway.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "gateway.image" -}}
{{ .Values.image.repository }}{{ with .Values.image.digest }}@{{ . }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{/* All that is missing, in one message. */}}
{{- define "gateway.checked" -}}
{{- $missing := list }}
{{- if not .Values.secret }}{{ $missing = append $missing "secret is missing: the name of the Secret with the gateway's secrets (docs/kubernetes.md says how to make it)." }}{{ end }}
{{- if not .Values.database.host }}{{ $missing = append $missing "database.host is missing: the name of your Postgres." }}{{ end }}
{{- if not .Values.redis.host }}{{ $missing = append $missing "redis.host is missing: the name of your Redis, which replicas need to share limits." }}{{ end }}
{{- if not (.Files.Get "files/custom_handlers/stackspot.py") }}{{ $missing = append $missing "the chart holds no handlers: take it from a checkout of the project, or from what `helm package` made of one." }}{{ end }}
{{- if and .Values.metrics.serviceMonitor (not .Values.metrics.port) }}{{ $missing = append $missing "metrics.port is missing: metrics.serviceMonitor needs one." }}{{ end }}
{{- if $missing }}{{ fail (printf "\n%s" (join "\n" $missing)) }}{{ end }}
{{- end }}

{{- define "gateway.variable" -}}
- name: {{ .name }}
  value: {{ if kindIs "string" .value }}{{ .value | quote }}{{ else }}{{ .value | toJson | quote }}{{ end }}
{{- end }}

{{- define "gateway.fromSecret" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef: { name: {{ .secret | quote }}, key: {{ .name }}{{ if .optional }}, optional: true{{ end }} }
{{- end }}

{{/* For every container: docker-compose.yml says why each is set. */}}
{{- define "gateway.environment" -}}
{{- $exempt := list "127.0.0.1" "localhost" "::1" .Values.database.host .Values.redis.host }}
{{- with .Values.settings.NO_PROXY }}{{ $exempt = append $exempt . }}{{ end }}
{{- with .Values.settings.no_proxy }}{{ $exempt = append $exempt . }}{{ end }}
- { name: LITELLM_LOCAL_MODEL_COST_MAP, value: "True" }
- { name: HOME, value: /tmp }
- { name: XDG_CACHE_HOME, value: /tmp/.cache }
- { name: LITELLM_MODE, value: PRODUCTION }
- { name: NO_PROXY, value: {{ join "," $exempt | quote }} }
- { name: no_proxy, value: {{ join "," $exempt | quote }} }
{{- if .Values.certificates.configMap }}
{{- range list "CA_BUNDLE" "SSL_CERT_FILE" "REQUESTS_CA_BUNDLE" }}
- { name: {{ . }}, value: /app/certificates.pem }
{{- end }}
{{- end }}
{{- range $name, $value := omit .Values.settings "NO_PROXY" "no_proxy" }}
{{ include "gateway.variable" (dict "name" $name "value" $value) }}
{{- end }}
{{- range list "STACKSPOT_CLIENT_ID" "STACKSPOT_CLIENT_SECRET" "STACKSPOT_CLIENT_KEY" "STACKSPOT_API_KEY" "OTEL_EXPORTER_OTLP_HEADERS" }}
{{ include "gateway.fromSecret" (dict "name" . "secret" $.Values.secret "optional" true) }}
{{- end }}
{{- range .Values.secretVariables }}
{{ include "gateway.fromSecret" (dict "name" . "secret" $.Values.secret) }}
{{- end }}
{{- end }}

{{- define "gateway.databaseEnvironment" -}}
- { name: DATABASE_HOST, value: {{ printf "%s:%v" .Values.database.host .Values.database.port | quote }} }
- { name: DATABASE_NAME, value: {{ .Values.database.name | quote }} }
- { name: DATABASE_USERNAME, value: {{ .Values.database.username | quote }} }
{{ include "gateway.fromSecret" (dict "name" "DATABASE_PASSWORD" "secret" .Values.secret) }}
{{- with .Values.database.sslmode }}
- { name: DATABASE_SSLMODE, value: {{ . }} }
{{- if and (hasPrefix "verify-" .) $.Values.certificates.configMap }}
- { name: DATABASE_SSLROOTCERT, value: /app/certificates.pem }
{{- end }}
{{- end }}
- { name: LITELLM_MIGRATION_DIR, value: /tmp/migrations }
{{- end }}

{{- define "gateway.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "gateway.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* A key of a ConfigMap cannot hold a slash. */}}
{{- define "gateway.key" -}}
{{ . | replace "/" "__" }}
{{- end }}
