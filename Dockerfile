# The node agent. Runs the sources as they are on Node 24; needs both iptables backends, because the node decides which is used.
FROM node:24-bookworm-slim AS packages
WORKDIR /pod-identity
COPY package.json package-lock.json ./
# The optional packages are a Node 24 for machines that have none; this image has its own.
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund

FROM node:24-bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends iptables conntrack iproute2 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /pod-identity
COPY --from=packages /pod-identity/node_modules node_modules
COPY package.json LICENSE ./
COPY bin bin
COPY lib lib
COPY scripts/node scripts/node
ENTRYPOINT ["/pod-identity/bin/nmi"]
