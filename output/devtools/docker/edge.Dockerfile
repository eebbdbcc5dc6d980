# The edge: the static Caddy of the official image and nothing else of it.
# It listens above 1024 and therefore needs no capability.
ARG CADDY_IMAGE=docker.io/library/caddy:2.10.0

FROM ${CADDY_IMAGE} AS caddy

FROM scratch
COPY --from=caddy /usr/bin/caddy /bin/caddy
COPY --from=caddy /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt

# Asks for the edge's health.
COPY caisson-runtime /bin/caisson-runtime

# A new volume takes its owner from here.
COPY --chown=10001:10001 state /data
LABEL org.opencontainers.image.title="Caisson edge" org.opencontainers.image.version="0.1.0"
USER 10001:10001
EXPOSE 8080 8443
HEALTHCHECK --interval=2s --timeout=2s --start-period=10s --retries=3 CMD ["/bin/caisson-runtime", "health", "--url", "http://127.0.0.1:8079/"]
ENTRYPOINT ["/bin/caddy"]
CMD ["run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
