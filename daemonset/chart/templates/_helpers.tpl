{{/* The original chart's name stands in the selectors of what it installed, which cannot be changed. */}}
{{- define "pod-identity.name" -}}
{{- default "aad-pod-identity" .Values.nameOverride | trunc 59 | trimSuffix "-" -}}
{{- end -}}

{{- define "pod-identity.mic" -}}{{ include "pod-identity.name" . }}-mic{{- end -}}
{{- define "pod-identity.nmi" -}}{{ include "pod-identity.name" . }}-nmi{{- end -}}

{{- define "pod-identity.fullname" -}}
{{- $name := default "aad-pod-identity" .Values.nameOverride -}}
{{- $both := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- default $both .Values.fullnameOverride | trunc 59 | trimSuffix "-" -}}
{{- end -}}

{{- define "pod-identity.selectors" -}}
app.kubernetes.io/name: {{ include "pod-identity.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "pod-identity.labels" -}}
{{ include "pod-identity.selectors" . }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") | quote }}
{{- end -}}

{{/* "true" or nothing, of a boolean or the text of one: the original's templates took the text "false" for true. */}}
{{- define "pod-identity.isTrue" -}}
{{- if eq (toString . | lower) "true" }}true{{ end -}}
{{- end -}}

{{/* Values that name the original's images; see NOTES.txt. */}}
{{- define "pod-identity.isOriginal" -}}
{{- $byTag := regexMatch "^v?1\\.[0-8]\\." (toString .tag) -}}
{{- $byRepository := regexMatch "^mcr\\.microsoft\\.com/(oss/azure|k8s)/aad-pod-identity/?$" .repository -}}
{{- if or $byTag $byRepository }}true{{ end -}}
{{- end -}}

{{/* Of a component (nmi, mic). The original's names give way to ours, but a mirror of them cannot be guessed around. */}}
{{- define "pod-identity.image" -}}
{{- $repository := trimSuffix "/" .root.Values.image.repository -}}
{{- $of := index .root.Values .component -}}
{{- if include "pod-identity.isOriginal" (dict "repository" $repository "tag" $of.tag) -}}
{{- if and $repository (not (hasPrefix "mcr.microsoft.com/" $repository)) -}}
{{- fail (printf "%s.tag is %s, an image of AAD Pod Identity in %s: push the image of this release there, and set %s.image and %s.tag to it" .component $of.tag $repository .component .component) -}}
{{- end -}}
pod-identity:dev
{{- else -}}
{{- with $repository }}{{ . }}/{{ end }}{{ $of.image }}:{{ $of.tag }}
{{- end -}}
{{- end -}}

{{/* `- --flag=value` for each pair of a list, where the value says something. */}}
{{- define "pod-identity.flags" -}}
{{- range . }}
{{- $value := index . 1 }}
{{- if not (or (kindIs "invalid" $value) (eq (toString $value) "")) }}
- {{ printf "--%s=%v" (index . 0) $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A SecretReference: an object, or the text of one in JSON, as the original's chart takes it. */}}
{{- define "pod-identity.reference" -}}
{{- $object := .given -}}
{{- if kindIs "string" .given -}}{{- $object = fromJson .given -}}{{- end -}}
{{- if or (not $object.name) (hasKey $object "Error") -}}
{{- fail (printf "%s is no reference to a Secret: it takes name and namespace, as {\"name\":\"sp\",\"namespace\":\"shop\"}" .at) -}}
{{- end -}}
{{ toJson $object }}
{{- end -}}

{{/* Binds a Role of its own name to a component's service account. */}}
{{- define "pod-identity.roleBinding" }}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ .role | quote }}
  namespace: {{ .namespace | quote }}
  labels:
    {{- include "pod-identity.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component | quote }}
subjects:
  - kind: ServiceAccount
    name: {{ .name | quote }}
    namespace: {{ .root.Release.Namespace | quote }}
roleRef:
  kind: Role
  name: {{ .role | quote }}
  apiGroup: rbac.authorization.k8s.io
{{- end }}

{{/* MIC's variables and the keys of its Secret. */}}
{{- define "pod-identity.secretKeys" -}}
CLOUD: Cloud
SUBSCRIPTION_ID: SubscriptionID
RESOURCE_GROUP: ResourceGroup
TENANT_ID: TenantID
CLIENT_ID: ClientID
CLIENT_SECRET: ClientSecret
USE_MSI: UseMSI
USER_ASSIGNED_MSI_CLIENT_ID: UserAssignedMSIClientID
{{- end -}}
