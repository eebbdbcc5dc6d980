# The edge: nginx, as a user that is not root, with a configuration that is mounted.
# It listens above 1024 and therefore needs no capability.
ARG NGINX_IMAGE=docker.io/library/nginx:1.28.0-alpine-slim

FROM ${NGINX_IMAGE}

# Asks for the edge's health.
COPY caisson-runtime /bin/caisson-runtime

# A new volume takes its owner from here.
COPY --chown=10001:10001 state /data
LABEL org.opencontainers.image.title="Caisson edge" org.opencontainers.image.version="0.1.0"
USER 10001:10001
EXPOSE 8080 8443
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=2s --timeout=2s --start-period=10s --retries=3 CMD ["/bin/caisson-runtime", "health", "--url", "http://127.0.0.1:8079/"]
ENTRYPOINT ["/usr/sbin/nginx"]
CMD ["-e", "stderr", "-c", "/etc/nginx/nginx.conf"]
