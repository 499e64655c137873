{{- define "service.name" -}}
{{ .Chart.Name }}
{{- end }}

{{- define "service.namespace" -}}
{{ printf "%s-%s" (required "tenantId is needed" .Values.tenantId) (required "environment is needed" .Values.environment) }}
{{- end }}

{{- define "service.selector" -}}
app.kubernetes.io/name: {{ include "service.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "service.labels" -}}
{{ include "service.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
dev.pointsman/tenantId: {{ .Values.tenantId | quote }}
dev.pointsman/environment: {{ .Values.environment | quote }}
{{- with .Values.trace.traceId }}
dev.pointsman/traceId: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "service.image" -}}
{{- if .Values.image.digest -}}
{{ printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else -}}
{{ printf "%s:%s" .Values.image.repository .Values.image.tag }}
{{- end -}}
{{- end }}
