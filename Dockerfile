# syntax=docker/dockerfile:1
# The programs as bundles of scripts/build, on Node 24, with what they drive: both iptables backends (the node decides which),
# conntrack and iproute2. For amd64 and arm64: docker buildx build --platform=linux/amd64,linux/arm64 \
#   --build-arg VERSION=0.1.0 --build-arg COMMIT="$(git rev-parse HEAD)" .

# The bundles are the same for every platform, so they are made once, on the machine's own.
FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS build
WORKDIR /pod-identity
COPY package.json package-lock.json ./
COPY scripts/setup scripts/node scripts/
RUN scripts/setup npm
COPY LICENSE ./
COPY bin bin
COPY lib lib
COPY scripts scripts
ARG COMMIT=
RUN scripts/build
RUN npm sbom --sbom-format=cyclonedx --omit=dev --omit=optional --package-lock-only >dist/sbom.cdx.json

FROM node:24-bookworm-slim AS runtime
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends iptables conntrack iproute2 \
  && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* \
  # Of Node, the program alone is needed.
  && rm -rf /usr/local/lib/node_modules /usr/local/include /usr/local/share /opt/yarn* /usr/local/*.md /usr/local/LICENSE \
  && find /usr/local/bin -mindepth 1 ! -name node -delete \
  # Nobody in here becomes another user, and nobody reads manuals or translations.
  && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
  && rm -rf /usr/share/locale /usr/share/man /usr/share/info
COPY --from=build /pod-identity/dist/bin /pod-identity/bin
COPY --from=build /pod-identity/dist/LICENSE /pod-identity/dist/THIRD-PARTY-NOTICES /pod-identity/dist/sbom.cdx.json \
  /usr/share/doc/pod-identity/
# Fills /pod-identity/compile-cache, which Node finds by the program's path, its flags and the user. At run time it may be
# read-only.
RUN for program in /pod-identity/bin/*.mjs; do "${program%.mjs}" --version || exit; done

# One layer, without the files that were removed above.
FROM scratch
COPY --from=runtime / /
ARG VERSION=
ARG COMMIT=
LABEL org.opencontainers.image.title="pod-identity" \
  org.opencontainers.image.description="Azure tokens for Kubernetes pods at 169.254.169.254: the maintained, drop-in replacement for AAD Pod Identity" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="$VERSION" \
  org.opencontainers.image.revision="$COMMIT" \
  org.opencontainers.image.base.name="docker.io/library/node:24-bookworm-slim"
ENV PATH=/pod-identity/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# The agent is root: the kernel takes iptables rules and routes, and gives out network namespaces, to root with capabilities
# alone. Which it needs is in the manifests; it needs no more of root than that.
USER 0:0
ENTRYPOINT ["/pod-identity/bin/nmi"]
