# The node agent. Runs the sources as they are on Node 24; needs both iptables backends, because the node decides which is used.
FROM node:24-bookworm-slim AS packages
WORKDIR /pod-identity
COPY package.json package-lock.json ./
# The optional packages are a Node 24 for machines that have none; this image has its own.
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund

FROM node:24-bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends iptables conntrack \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /pod-identity
COPY --from=packages /pod-identity/node_modules node_modules
COPY package.json LICENSE ./
COPY bin bin
COPY lib lib
# DEP0060: http-proxy uses util._extend, which would put a line that is not a log line on stderr.
ENTRYPOINT ["node", "--disable-warning=DEP0060", "/pod-identity/bin/nmi.ts"]
