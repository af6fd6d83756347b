# One image for every role; what a container does is said by its arguments: serve --target=ingest, migrate, ...
# To pin the base by digest: docker build --build-arg NODE_IMAGE=node:24.21.0-bookworm-slim@sha256:... .
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /opt/helios
COPY package.json package-lock.json ./
# No package that the server needs has an install script; none may run one.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="helios" \
      org.opencontainers.image.description="Watches event streams, detects incidents within seconds, and writes the incident report" \
      org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production \
    HELIOS_HOST=0.0.0.0 \
    HELIOS_DATA_DIR=/var/lib/helios
# The user node of the base image, by number, so that an orchestrator can see that it is not root.
RUN mkdir -p /var/lib/helios && chown 1000:1000 /var/lib/helios
WORKDIR /opt/helios
COPY --from=dependencies /opt/helios/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY src ./src
USER 1000:1000
VOLUME ["/var/lib/helios"]
# API and HTTP doors, gRPC, OTLP over HTTP.
EXPOSE 8080 4317 4318
STOPSIGNAL SIGTERM
# The base image has no curl. With TLS the certificate is for the clients' name, not for the loopback address.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["node", "-e", "require(process.env.HELIOS_TLS_CERT_FILE ? 'https' : 'http').get({ port: process.env.HELIOS_PORT || 8080, path: '/healthz', rejectUnauthorized: false, timeout: 4000 }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1)).on('timeout', () => process.exit(1)).on('error', () => process.exit(1))"]
ENTRYPOINT ["/opt/helios/bin/helios"]
CMD ["serve"]
