{{- /* A name of limited length that is still unique. Takes a list of the name and the length. */ -}}
{{- define "oet.short" -}}
{{- $name := index . 0 -}}
{{- $length := index . 1 | int -}}
{{- if gt (len $name) $length -}}
{{- printf "%s-%s" ($name | trunc (int (sub $length 9)) | trimSuffix "-") (sha256sum $name | trunc 8) -}}
{{- else -}}
{{- $name -}}
{{- end -}}
{{- end -}}

{{- /* Beginning of the names of all resources. A release may be called 2.1; a service may not. */ -}}
{{- define "oet.name" -}}
{{- $name := printf "%s-oet" .Release.Name | replace "." "-" -}}
{{- if not (regexMatch "^[a-z]" $name) -}}
{{- $name = printf "oet-%s" $name -}}
{{- end -}}
{{- include "oet.short" (list $name 40) -}}
{{- end -}}

{{- /* Name of a device server. Takes a list of the root and the controller. Kubernetes adds to it in labels. */ -}}
{{- define "oet.serverName" -}}
{{- $name := printf "%s-controller-%s" (include "oet.name" (index . 0)) ((index . 1).instance | toString | lower) -}}
{{- include "oet.short" (list $name 52) -}}
{{- end -}}

{{- /* Name of the REST service of a device. Takes a list of the root and the device's name. */ -}}
{{- define "oet.restName" -}}
{{- $name := printf "%s-rest-%s" (include "oet.name" (index . 0)) (include "oet.deviceSlug" (index . 1)) -}}
{{- include "oet.short" (list $name 63) -}}
{{- end -}}

{{- define "oet.labels" -}}
app.kubernetes.io/name: ska-oso-oet-tango
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- /* Labels that select pods: a release never changes them. Takes a list of the root and a component. */ -}}
{{- define "oet.selector" -}}
app.kubernetes.io/name: ska-oso-oet-tango
app.kubernetes.io/instance: {{ (index . 0).Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "oet.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "oet.tangoHost" -}}
{{- if .Values.database.embedded -}}
{{- printf "%s-database:%v" (include "oet.name" .) .Values.database.port -}}
{{- else -}}
{{- .Values.global.tango_host -}}
{{- end -}}
{{- end -}}

{{- define "oet.secretName" -}}
{{- .Values.secrets.existingSecret | default (printf "%s-secrets" (include "oet.name" .)) -}}
{{- end -}}

{{- /* A device's name in a form that is valid in labels, names of services and paths. */ -}}
{{- define "oet.deviceSlug" -}}
{{- include "oet.short" (list (regexReplaceAll "[^a-z0-9]+" (lower .) "-" | trimAll "-") 63) -}}
{{- end -}}

{{- /* Path below which the ingress serves a device. Takes a list of the root and the device's name. */ -}}
{{- define "oet.rootPath" -}}
{{- $root := index . 0 -}}
{{- $devices := list -}}
{{- range $root.Values.controllers -}}
{{- $devices = concat $devices .devices -}}
{{- end -}}
{{- if $root.Values.ingress.enabled -}}
{{- $path := trimSuffix "/" $root.Values.ingress.path -}}
{{- if gt (len $devices) 1 -}}
{{- printf "%s/%s" $path (include "oet.deviceSlug" (index . 1)) -}}
{{- else -}}
{{- $path -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* A registration in the format of dsconfig. Takes a list of the root and the controllers to register. */ -}}
{{- define "oet.registration" -}}
{{- $root := index . 0 -}}
{{- $servers := dict -}}
{{- range $controller := index . 1 -}}
{{- $devices := dict -}}
{{- range $device := $controller.devices -}}
{{- $given := merge (dict) ($device.properties | default dict) $root.Values.properties -}}
{{- if and $root.Values.scripts (not (hasKey $given "ScriptRoots")) -}}
{{- $_ := set $given "ScriptRoots" (list "/scripts") -}}
{{- end -}}
{{- $properties := dict -}}
{{- range $name, $value := $given -}}
{{- $lines := list -}}
{{- range $line := ternary $value (list $value) (kindIs "slice" $value) -}}
{{- $lines = append $lines (ternary (printf "%.0f" ($line | float64)) (toString $line) (and (kindIs "float64" $line) (eq ($line | floor) ($line | float64)))) -}}
{{- end -}}
{{- $_ := set $properties $name $lines -}}
{{- end -}}
{{- $online := dict "adminMode" (dict "__value" (list "0")) -}}
{{- $_ := set $devices $device.name (dict "properties" $properties "attribute_properties" $online) -}}
{{- end -}}
{{- $_ := set $servers ($controller.instance | toString) (dict "OETController" $devices) -}}
{{- end -}}
{{- $queries := list "CheckLongRunningCommandStatus" "DescribeActivity" "DescribeProcedure" "DescribeQueueEntry" "DescribeScript" "GetEnvironment" "GetEvents" "GetFigures" "GetFile" "GetFiles" "GetOutput" "GetProcedures" "GetQueue" "GetVersionInfo" -}}
{{- $description := "Runs observing scripts, one after the other, each in a process of its own." -}}
{{- $about := dict "Description" (list $description) "ProjectTitle" (list "Observation Execution Tool") "doc_url" (list "https://developer.skao.int/projects/ska-oso-oet/") -}}
{{- $classes := dict "OETController" (dict "properties" (merge (dict "AllowedAccessCmd" $queries) $about)) -}}
{{- dict "classes" $classes "servers" (dict "OETController" $servers) | toPrettyJson -}}
{{- end -}}

{{- define "oet.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: {{ .Values.podSecurity.runAsUser }}
runAsGroup: {{ .Values.podSecurity.runAsGroup }}
fsGroup: {{ .Values.podSecurity.runAsGroup }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "oet.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: ["ALL"]
{{- end -}}

{{- /* Settings of all pods. */ -}}
{{- define "oet.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "oet.podSecurityContext" . | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* Variables of a pod that come from the Secret; one that is missing there is not set. Takes root and names. */ -}}
{{- define "oet.secretEnvironment" -}}
{{- $root := index . 0 -}}
{{- range index . 1 }}
{{- if or $root.Values.secrets.existingSecret (hasKey $root.Values.secrets.values .) }}
- name: {{ . }}
  valueFrom:
    secretKeyRef:
      name: {{ include "oet.secretName" $root | quote }}
      key: {{ . }}
      optional: true
{{- end }}
{{- end }}
{{- end -}}

{{- /* Names by which clients know the REST service of a device. Takes a list of the root and the device's name. */ -}}
{{- define "oet.allowedHosts" -}}
{{- $root := index . 0 -}}
{{- $service := include "oet.restName" . -}}
{{- $local := printf "%s.%s" $service $root.Release.Namespace -}}
{{- $domain := $root.Values.global.cluster_domain | default "cluster.local" -}}
{{- $names := list $service $local (printf "%s.svc" $local) (printf "%s.svc.%s" $local $domain) -}}
{{- if and $root.Values.ingress.enabled $root.Values.ingress.host -}}
{{- $names = append $names $root.Values.ingress.host -}}
{{- end -}}
{{- concat $names $root.Values.sidecar.allowedHosts | join " " -}}
{{- end -}}

{{- /* The token of the REST services. It is required, unless services may be open. */ -}}
{{- define "oet.apiToken" -}}
{{- if or .Values.secrets.existingSecret (hasKey .Values.secrets.values "OET_API_TOKEN") }}
- name: OET_API_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ include "oet.secretName" . | quote }}
      key: OET_API_TOKEN
      optional: {{ or .Values.sidecar.allowWithoutToken (not (empty .Values.sidecar.tokensSecret)) }}
{{- end }}
{{- end -}}

{{- /* Environment of a device server, in addition to Tango's variables. */ -}}
{{- define "oet.controllerEnvironment" -}}
- name: OET_STATE_DIRECTORY
  value: /var/lib/oet
- name: HOME
  value: /tmp
{{- include "oet.secretEnvironment" (list . (list "OET_JOURNAL_URL" "PGPASSWORD" "ADMIN_POSTGRES_PASSWORD")) }}
{{- end -}}

{{- define "oet.controllerVolumeMounts" -}}
- name: state
  mountPath: /var/lib/oet
- name: tmp
  mountPath: /tmp
{{- if .Values.scripts }}
- name: scripts
  mountPath: /scripts
  readOnly: true
{{- end }}
{{- with .Values.controller.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "oet.controllerVolumes" -}}
- name: tmp
  emptyDir: {}
{{- if .Values.scripts }}
- name: scripts
  configMap:
    name: {{ include "oet.name" . }}-scripts
{{- end }}
{{- with .Values.controller.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "oet.controllerProbes" -}}
{{- $root := index . 0 -}}
{{- $ask := list "python" "-m" "oet_devices.tools.probe" -}}
startupProbe:
  tcpSocket:
    port: orb
  periodSeconds: 2
  failureThreshold: 60
# Whether the server answers. The answer is yes while the Tango database is unavailable: scripts continue
# without it.
livenessProbe:
  exec:
    command: {{ concat $ask (list "alive" (index . 1)) | toJson }}
  periodSeconds: 30
  timeoutSeconds: 15
  failureThreshold: 3
# Whether all controllers of the server can work.
readinessProbe:
  exec:
    command: {{ concat $ask (list "ready" (index . 1)) | toJson }}
  periodSeconds: 30
  timeoutSeconds: 15
{{- end -}}
