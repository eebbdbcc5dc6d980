{{/* The Secret and the key in it that hold a secret: as JSON. */}}
{{- define "caisson.secretKey" -}}
{{- $secret := index .root.Values.secrets .name }}
{{- if eq $secret.kind "Existing" }}
{{- toJson (dict "name" $secret.name "key" $secret.key) }}
{{- else }}
{{- toJson (dict "name" .name "key" "value") }}
{{- end }}
{{- end }}

{{/* Whether a workload of the namespace reads the secret: "true" or nothing. */}}
{{- define "caisson.readsSecret" -}}
{{- $name := .name }}
{{- $found := "" }}
{{- range .workloads }}
{{- if hasKey (.secrets | default dict) $name }}{{ $found = "true" }}{{ end }}
{{- range .env }}
{{- if eq (.secret | default "") $name }}{{ $found = "true" }}{{ end }}
{{- end }}
{{- end }}
{{- $found }}
{{- end }}
