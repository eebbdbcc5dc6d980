{{/*
The named templates of the chart. A template of a workload gets a dict: root (the top of the chart), namespace, tenant
("" in the release's namespace), name and workload (its values).
*/}}

{{/* Calls a named template for every workload: include "caisson.workloads" (list $ "caisson.service") */}}
{{- define "caisson.workloads" -}}
{{- $root := index . 0 }}
{{- $template := index . 1 }}
{{- range $name, $workload := $root.Values.workloads }}
{{- include $template (dict "root" $root "namespace" $root.Release.Namespace "tenant" "" "name" $name "workload" $workload) }}
{{- end }}
{{- range $tenant, $place := $root.Values.tenants }}
{{- range $name, $workload := $place.workloads }}
{{- include $template (dict "root" $root "namespace" $place.namespace "tenant" $tenant "name" $name "workload" $workload) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The same for every namespace: root, namespace, tenant, workloads and hosts. */}}
{{- define "caisson.places" -}}
{{- $root := index . 0 }}
{{- $template := index . 1 }}
{{- include $template (dict "root" $root "namespace" $root.Release.Namespace "tenant" "" "workloads" $root.Values.workloads "hosts" $root.Values.hosts) }}
{{- range $tenant, $place := $root.Values.tenants }}
{{- include $template (dict "root" $root "namespace" $place.namespace "tenant" $tenant "workloads" $place.workloads "hosts" $place.hosts) }}
{{- end }}
{{- end }}

{{/* Labels of every object. */}}
{{- define "caisson.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/part-of: {{ .root.Values.name | quote }}
app.kubernetes.io/version: {{ .root.Values.version | replace "+" "_" | trunc 63 | quote }}
{{- with .tenant }}
caisson/tenant: {{ . | quote }}
{{- end }}
{{- range $label, $value := .root.Values.objects.labels }}
{{ $label | quote }}: {{ $value | quote }}
{{- end }}
{{- end }}

{{/* What a workload's Services, policies and controller select. */}}
{{- define "caisson.selector" -}}
app.kubernetes.io/name: {{ .name | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
{{- end }}

{{/* Labels of a workload's objects. */}}
{{- define "caisson.workloadLabels" -}}
{{ include "caisson.labels" (merge (dict "tenant" (.tenant | default .workload.tenant)) .) }}
app.kubernetes.io/name: {{ .name | quote }}
app.kubernetes.io/component: {{ .workload.role | quote }}
{{- end }}

{{/*
Labels of a workload's pods: what selectors and policies ask for, and nothing that a version of the spec or one more tenant changes. A pod that all
tenants share has one label for the networks of all tenants with a deployment of their own.
*/}}
{{- define "caisson.podLabels" -}}
{{ include "caisson.selector" . }}
app.kubernetes.io/part-of: {{ .root.Values.name | quote }}
app.kubernetes.io/component: {{ .workload.role | quote }}
{{- with .tenant | default .workload.tenant }}
caisson/tenant: {{ . | quote }}
{{- end }}
{{- $labels := dict }}
{{- /* Also before there is one: the first tenant with a deployment of its own replaces no pod. */}}
{{- if and (eq .workload.role "service") (not (.tenant | default .workload.tenant)) }}
{{- $_ := set $labels "reaches.caisson/tenants" true }}
{{- end }}
{{- range $network, $on := .workload.networks }}
{{- if $on }}
{{- $_ := set $labels (include "caisson.networkLabel" (dict "context" $ "network" $network) | trim) true }}
{{- end }}
{{- end }}
{{- range $label, $on := $labels }}
{{ $label }}: "true"
{{- end }}
{{- end }}

{{/* The label of a pod on a network: of a shared one on the network of one tenant, that of all such networks. */}}
{{- define "caisson.networkLabel" -}}
{{- if and (get (.context.root.Values.tenantNetworks | default dict) .network) (not .context.tenant) }}reaches.caisson/tenants{{ else }}network.caisson/{{ .network }}{{ end }}
{{- end }}

{{/* The annotations of an object: its own, in `own`, and those of every object. */}}
{{- define "caisson.annotations" -}}
{{- with merge (dict) (.own | default dict) .root.Values.objects.annotations }}
annotations: {{ toJson . }}
{{- end }}
{{- end }}

{{/* Of an object that is no workload's: gets root, tenant, namespace, name, and annotations of its own in `own`. Labels may follow. */}}
{{- define "caisson.objectMetadata" -}}
metadata:
  name: {{ .name | quote }}
  {{- with .namespace }}
  namespace: {{ . | quote }}
  {{- end }}
  {{- with include "caisson.annotations" . }}
  {{- . | trim | nindent 2 }}
  {{- end }}
  labels:
    {{- include "caisson.labels" . | nindent 4 }}
{{- end }}

{{- define "caisson.metadata" -}}
metadata:
  name: {{ .name | quote }}
  namespace: {{ .namespace | quote }}
  {{- with include "caisson.annotations" (dict "root" .root "own" (merge (dict) (.annotations | default dict) (dig "object" "annotations" dict .workload))) }}
  {{- . | trim | nindent 2 }}
  {{- end }}
  labels:
    {{- include "caisson.workloadLabels" . | nindent 4 }}
    {{- range $label, $value := merge (dict) (.labels | default dict) (dig "object" "labels" dict .workload) }}
    {{ $label | quote }}: {{ $value | quote }}
    {{- end }}
{{- end }}

{{/* What a workload's environment, command line and probes say: Kubernetes replaces $(NAME) there, and reads $$ as $. */}}
{{- define "caisson.literal" -}}
{{- . | replace "$" "$$" | toJson }}
{{- end }}

{{- define "caisson.words" -}}
{{- range . }}
- {{ include "caisson.literal" . }}
{{- end }}
{{- end }}

{{/* Of every container. */}}
{{- define "caisson.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Of every pod; gets the user. */}}
{{- define "caisson.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ int64 . }}
runAsGroup: {{ int64 . }}
fsGroup: {{ int64 . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* An image's reference: the one by which the site pinned it, else below the site's own registry when it has one. */}}
{{- define "caisson.image" -}}
{{- with get .root.Values.pinnedImages .image }}{{ . }}{{ else }}
{{- $registry := dig "imageRegistry" "" (.root.Values.global | default dict) | default .root.Values.imageRegistry }}
{{- with $registry }}{{ . | trimSuffix "/" }}/{{ end }}{{ .image }}
{{- end }}
{{- end }}

{{/*
The image of what is run for a workload beside it. A runtime's own program reads its configuration and its data: another version may
take what that one refuses.
*/}}
{{- define "caisson.helperImage" -}}
{{- $image := ternary .workload.image .root.Values.images.runtime (eq .workload.role "runtime") }}
{{- include "caisson.image" (dict "root" .root "image" $image) }}
{{- end }}

{{- define "caisson.pullSecrets" -}}
{{- $names := list }}
{{- range $name, $on := .Values.imagePullSecrets }}
{{- if $on }}{{ $names = append $names (dict "name" $name) }}{{ end }}
{{- end }}
{{- range dig "imagePullSecrets" list (.Values.global | default dict) }}
{{- $names = append $names (kindIs "string" . | ternary (dict "name" .) .) }}
{{- end }}
{{- with $names }}
imagePullSecrets: {{ toJson . }}
{{- end }}
{{- end }}

{{/* Resources of checks and tests: of memory and disk they get what is requested, of the processor at least that. */}}
{{- define "caisson.helperResources" -}}
{{- $limits := dict "cpu" .cpu "memory" .memory "ephemeral-storage" .ephemeralStorage }}
{{- $more := gt (include "caisson.quantity" .requestedCpu | float64) (include "caisson.quantity" .cpu | float64) }}
{{- toJson (dict "requests" (set (deepCopy $limits) "cpu" ($more | ternary .cpu .requestedCpu)) "limits" $limits) }}
{{- end }}

{{/* The tenants file of a runtime: its tiers, and each tenant, as one JSON object a line. */}}
{{- define "caisson.tenants" -}}
{{ dict "tiers" .workload.config.tiers | toJson }}
{{ range $slug, $tenant := .workload.config.tenants -}}
{{ merge (dict "slug" $slug) $tenant | toJson }}
{{ end }}
{{- end }}

{{/* The file that a Caisson program reads: `config` with what it listens on. A runtime reads its tiers and tenants from a file of their own, again when it changes. */}}
{{- define "caisson.config" -}}
{{- $config := omit .workload.config "tiers" "tenants" }}
{{- $ports := dict }}
{{- range $name, $port := .workload.ports }}
{{- $_ := set $ports $name (printf "[::]:%d" (int64 $port.number)) }}
{{- end }}
{{- if hasKey .workload.config "tenants" }}
{{- $_ := set $config "tenants-file" "/etc/caisson/tenants/tenants.ndjson" }}
{{- $_ := set $config "listen" $ports }}
{{- else }}
{{- $_ := set $config "listen" (get $ports "http") }}
{{- end }}
{{- toJson $config }}
{{- end }}

{{/* The number that a quantity is, whichever way it is written: 1Ti, 1024Gi, +5Gi, .5G, 1e12, 7e+3, 50m, 100u. */}}
{{- define "caisson.quantity" -}}
{{- $number := regexFind "^[+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,2})?" . }}
{{- $units := dict "" 1 "n" 0.000000001 "u" 0.000001 "m" 0.001 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "P" 1000000000000000 "E" 1000000000000000000 }}
{{- $unit := trimPrefix $number . }}
{{- if or (not $number) (not (hasKey $units $unit)) (and $unit (regexMatch "[eE]" $number)) }}
{{- fail (printf "%s is no quantity: write a size as 10Gi, a share of a processor as 50m" .) }}
{{- end }}
{{- printf "%.9f" (mulf (float64 $number) (get $units $unit)) }}
{{- end }}

{{/*
The size of a claim that no StatefulSet makes: as asked, or as it is when it is larger already, for no claim shrinks. One that has
to grow or to have another class stops the upgrade here, before anything is changed.
*/}}
{{- define "caisson.claimSize" -}}
{{- $spec := get (lookup "v1" "PersistentVolumeClaim" .namespace .name) "spec" | default dict }}
{{- $size := dig "resources" "requests" "storage" "" $spec }}
{{- if $size }}
{{- if lt (include "caisson.quantity" $size | float64) (include "caisson.quantity" .size | float64) }}
{{- fail (printf "claim %s in namespace %s has %s and should have %s: grow it first, as 'Grow a volume' of RUNBOOK.md says" .name .namespace $size .size) }}
{{- end }}
{{- include "caisson.classStays" (merge (dict "what" (printf "claim %s" .name) "class" $spec.storageClassName) .) }}
{{- end }}
{{- $size | default .size }}
{{- end }}

{{/* A claim keeps its class: an upgrade that wants another stops before it changes anything. */}}
{{- define "caisson.classStays" -}}
{{- $wanted := .root.Values.storageClass }}
{{- $class := .class | default "" }}
{{- if and $wanted (ne $class $wanted) }}
{{- fail (printf "%s in namespace %s has the storage class '%s' and should have '%s': take along what it keeps, as 'Another storage class' of RUNBOOK.md says" .what .namespace $class $wanted) }}
{{- end }}
{{- end }}

{{/* The namespaces whose pods may share a network with a workload. */}}
{{- define "caisson.namespaces" -}}
{{- $names := list .root.Release.Namespace }}
{{- if .tenant }}
{{- $names = append $names .namespace }}
{{- else }}
{{- range .root.Values.tenants }}
{{- $names = append $names .namespace }}
{{- end }}
{{- end }}
{{- $names | uniq | toJson }}
{{- end }}
