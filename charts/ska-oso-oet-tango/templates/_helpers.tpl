{{- define "oet.name" -}}
{{- printf "%s-oet" .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "oet.labels" -}}
app.kubernetes.io/name: ska-oso-oet-tango
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- /* Labels that select pods: a release never changes them. Takes a list of the root and a component. */ -}}
{{- define "oet.selector" -}}
app.kubernetes.io/name: ska-oso-oet-tango
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "oet.image" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
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

{{- /* Name of the REST service of a device, and of the path to it. */ -}}
{{- define "oet.deviceSlug" -}}
{{- . | lower | replace "/" "-" | replace "_" "-" -}}
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
{{- $queries := list "CheckLongRunningCommandStatus" "DescribeActivity" "DescribeProcedure" "GetEvents" "GetOutput" "GetVersionInfo" -}}
{{- $classes := dict "OETController" (dict "properties" (dict "AllowedAccessCmd" $queries)) -}}
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

{{- /* What all pods have in common. */ -}}
{{- define "oet.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "oet.podSecurityContext" . | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* Variables of a pod that come from the Secret; one that is not in it is not set. Takes root and names. */ -}}
{{- define "oet.secretEnvironment" -}}
{{- $root := index . 0 -}}
{{- range index . 1 }}
{{- if or $root.Values.secrets.existingSecret (hasKey $root.Values.secrets.values .) }}
- name: {{ . }}
  valueFrom:
    secretKeyRef:
      name: {{ include "oet.secretName" $root }}
      key: {{ . }}
      optional: true
{{- end }}
{{- end }}
{{- end -}}

{{- /* Environment of a device server. */ -}}
{{- define "oet.controllerEnvironment" -}}
- name: TANGO_HOST
  value: {{ include "oet.tangoHost" . | quote }}
- name: TANGO_ZMQ_HEARTBEAT_PORT
  value: {{ .Values.controller.ports.heartbeat | quote }}
- name: TANGO_ZMQ_EVENT_PORT
  value: {{ .Values.controller.ports.event | quote }}
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
{{- $ask := list "python" "-m" "oet_devices.probe" -}}
startupProbe:
  tcpSocket:
    port: orb
  periodSeconds: 2
  failureThreshold: 60
# Whether the server answers. It says yes while the Tango database is away: scripts go on without it.
livenessProbe:
  exec:
    command: {{ concat $ask (list "alive" (index . 1)) | toJson }}
  periodSeconds: 30
  timeoutSeconds: 10
  failureThreshold: 3
# Whether all controllers of the server can work.
readinessProbe:
  exec:
    command: {{ concat $ask (list "ready" (index . 1)) | toJson }}
  periodSeconds: 30
  timeoutSeconds: 10
{{- end -}}
