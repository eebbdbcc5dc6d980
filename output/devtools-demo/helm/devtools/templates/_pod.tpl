{{/* A probe: an HTTP path, a command or a port that takes connections. */}}
{{- define "caisson.probe" -}}
{{- if .command }}
exec:
  command:
    {{- include "caisson.words" .command | trim | nindent 4 }}
{{- else if .http }}
httpGet:
  path: {{ .http | quote }}
  port: {{ .port | quote }}
{{- else if .tcp }}
tcpSocket:
  port: {{ .port | quote }}
{{- end }}
periodSeconds: {{ int64 .period }}
timeoutSeconds: {{ int64 .timeout }}
failureThreshold: {{ int64 .failures }}
{{- end }}

{{/* What the containers of a workload see of its volumes. */}}
{{- define "caisson.mounts" -}}
{{- range $name, $volume := .workload.volumes }}
- name: {{ $name | quote }}
  mountPath: {{ $volume.path | quote }}
{{- end }}
{{- range $path, $size := .workload.writable }}
- name: {{ include "caisson.writable" $path | trim }}
  mountPath: {{ $path | quote }}
{{- end }}
{{- range $path, $source := .workload.mounts }}
- name: {{ include "caisson.mount" $path | trim }}
  mountPath: {{ $path | quote }}
{{- end }}
{{- range $path := concat (keys (.workload.files | default dict) | sortAlpha) (compact (list .workload.configPath)) }}
- name: caisson-files
  mountPath: {{ $path | quote }}
  subPath: {{ base $path | quote }}
  readOnly: true
{{- end }}
{{- if hasKey (.workload.config | default dict) "tenants" }}
- name: caisson-tenants
  mountPath: /etc/caisson/tenants
  readOnly: true
{{- end }}
{{- if .workload.secrets }}
- name: caisson-secrets
  mountPath: /run/secrets
  readOnly: true
{{- end }}
{{- end }}

{{/* The name of the volume behind a path that the site mounts. */}}
{{- define "caisson.mount" -}}
{{ printf "mount-%s" (sha256sum . | trunc 8) }}
{{- end }}

{{/* The name of the volume behind a writable path. */}}
{{- define "caisson.writable" -}}
{{ printf "writable-%s" (sha256sum . | trunc 8) }}
{{- end }}

{{/*
Every pod of the chart goes through here: gets its text, with what the site lays over it: `pods` for every one, `own` for this one. Lists are
replaced. What selects pods stays as it is, and whether it starts again.
*/}}
{{- define "caisson.sitePod" -}}
{{- $own := .own | default dict }}
{{- $every := .root.Values.pods }}
{{- $over := dict }}
{{- range $part := list "spec" "labels" "annotations" }}
{{- $_ := set $over $part (mergeOverwrite (deepCopy (get $every $part | default dict)) (deepCopy (get $own $part | default dict))) }}
{{- end }}
{{- $text := .text | trim }}
{{- if or $over.spec $over.labels $over.annotations }}
{{- $pod := fromYaml $text }}
{{- $_ := mergeOverwrite $pod.spec (omit $over.spec "restartPolicy") }}
{{- $_ := set $pod.metadata "labels" (merge $pod.metadata.labels $over.labels) }}
{{- $_ := set $pod.metadata "annotations" (merge (get $pod.metadata "annotations" | default dict) $over.annotations) }}
{{- $text = toYaml $pod }}
{{- end }}
{{- $text }}
{{- end }}

{{/* The pod of a workload, with what the site lays over it. */}}
{{- define "caisson.podTemplate" -}}
{{- include "caisson.sitePod" (dict "root" .root "own" .workload.pod "text" (include "caisson.pod" .)) }}
{{- end }}

{{/* The pod of a workload as the plan has it. */}}
{{- define "caisson.pod" -}}
{{- $context := . }}
{{- $values := .root.Values }}
metadata:
  labels:
    {{- include "caisson.podLabels" . | nindent 4 }}
  {{- if or .workload.config .workload.files }}
  annotations:
    # A pod reads its files when it starts: it is replaced when they change. Tenants it reads again.
    checksum/files: {{ list (omit (.workload.config | default dict) "tiers" "tenants") .workload.files .workload.ports | toJson | sha256sum }}
  {{- end }}
spec:
  restartPolicy: Always
  serviceAccountName: {{ .name | quote }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with include "caisson.pullSecrets" .root }}
  {{- . | trim | nindent 2 }}
  {{- end }}
  terminationGracePeriodSeconds: {{ add .workload.grace (div (add 999 (get (.workload.config | default dict) "lame-duck-ms" | int64)) 1000) }}
  securityContext:
    {{- include "caisson.podSecurity" .workload.user | nindent 4 }}
    {{- $low := false }}
    {{- range .workload.ports }}
    {{- $low = or $low (lt (int64 .number) 1024) }}
    {{- end }}
    {{- if $low }}
    # A container runtime may let nobody but root listen there, as containerd before 2.0 does; every cluster holds this to be safe.
    sysctls:
      - name: net.ipv4.ip_unprivileged_port_start
        value: "0"
    {{- end }}
  {{- with .workload.nameservers }}
  dnsConfig:
    nameservers:
      {{- range $address, $on := . }}
      {{- if $on }}
      - {{ $address | quote }}
      {{- end }}
      {{- end }}
  {{- end }}
  # Not two on one node, nor all in one zone, while there is another.
  topologySpreadConstraints:
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "caisson.selector" $context | nindent 10 }}
    {{- end }}
  affinity:
    podAntiAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
        - weight: 100
          podAffinityTerm:
            topologyKey: kubernetes.io/hostname
            labelSelector:
              matchLabels:
                {{- include "caisson.selector" . | nindent 16 }}
  {{- with .workload.init }}
  initContainers:
    {{- range $name, $init := . }}
    - name: {{ $name | quote }}
      image: {{ include "caisson.helperImage" $context | quote }}
      imagePullPolicy: {{ $values.imagePullPolicy }}
      args:
        {{- include "caisson.words" $init.args | trim | nindent 8 }}
      resources: {{ include "caisson.helperResources" $values.helpers }}
      securityContext:
        {{- include "caisson.containerSecurity" $context | nindent 8 }}
      {{- with include "caisson.mounts" $context }}
      volumeMounts:
        {{- . | trim | nindent 8 }}
      {{- end }}
    {{- end }}
  {{- end }}
  containers:
    - name: {{ .name | quote }}
      image: {{ include "caisson.image" (dict "root" .root "image" .workload.image) | quote }}
      imagePullPolicy: {{ $values.imagePullPolicy }}
      {{- with .workload.command }}
      command:
        {{- include "caisson.words" . | trim | nindent 8 }}
      {{- end }}
      {{- with .workload.args }}
      args:
        {{- include "caisson.words" . | trim | nindent 8 }}
      {{- end }}
      {{- if or .workload.env (eq .workload.role "runtime") }}
      env:
        {{- if eq .workload.role "runtime" }}
        # Without a database server only the first replica serves: another would have a store of its own.
        - name: CAISSON_REPLICA
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        {{- end }}
        {{- range $name, $variable := .workload.env }}
        - name: {{ $name | quote }}
          {{- if $variable.secret }}
          valueFrom:
            secretKeyRef: {{ include "caisson.secretKey" (dict "root" $context.root "name" $variable.secret) }}
          {{- else }}
          value: {{ include "caisson.literal" $variable.value }}
          {{- end }}
        {{- end }}
      {{- end }}
      {{- with .workload.ports }}
      ports:
        {{- range $name, $port := . }}
        - name: {{ $name | quote }}
          containerPort: {{ int64 $port.number }}
          protocol: TCP
        {{- end }}
      {{- end }}
      resources: {{ toJson .workload.resources }}
      securityContext:
        {{- include "caisson.containerSecurity" . | nindent 8 }}
      {{- with .workload.probes }}
      startupProbe:
        {{- include "caisson.probe" .startup | trim | nindent 8 }}
      livenessProbe:
        {{- include "caisson.probe" .liveness | trim | nindent 8 }}
      readinessProbe:
        {{- include "caisson.probe" .readiness | trim | nindent 8 }}
      {{- end }}
      {{- with include "caisson.mounts" . }}
      volumeMounts:
        {{- . | trim | nindent 8 }}
      {{- end }}
  {{- $claimed := dict }}
  {{- range $name, $volume := .workload.volumes }}
  {{- with $volume.existingClaim }}{{ $_ := set $claimed $name . }}{{ end }}
  {{- end }}
  {{- if or .workload.writable .workload.config .workload.files .workload.secrets .workload.mounts $claimed }}
  volumes:
    {{- range $name, $claim := $claimed }}
    - name: {{ $name | quote }}
      persistentVolumeClaim:
        claimName: {{ $claim | quote }}
    {{- end }}
    {{- range $path, $source := .workload.mounts }}
    - {{ merge (dict "name" (include "caisson.mount" $path | trim)) $source | toJson }}
    {{- end }}
    {{- range $path, $size := .workload.writable }}
    - name: {{ include "caisson.writable" $path | trim }}
      emptyDir:
        medium: Memory
        sizeLimit: {{ $size | quote }}
    {{- end }}
    {{- if or .workload.config .workload.files }}
    - name: caisson-files
      configMap:
        name: {{ .name | quote }}
        defaultMode: 0444
    {{- end }}
    {{- if hasKey (.workload.config | default dict) "tenants" }}
    - name: caisson-tenants
      configMap:
        name: {{ printf "%s-tenants" .name | quote }}
        defaultMode: 0444
    {{- end }}
    {{- with .workload.secrets }}
    - name: caisson-secrets
      projected:
        defaultMode: 0440
        sources:
          {{- range $secret, $path := . }}
          {{- $key := include "caisson.secretKey" (dict "root" $context.root "name" $secret) | fromJson }}
          - secret:
              name: {{ $key.name | quote }}
              items:
                - key: {{ $key.key | quote }}
                  path: {{ trimPrefix "/run/secrets/" $path | quote }}
          {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
