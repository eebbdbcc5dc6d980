# What gets nginx its certificates: certbot, and a script that is mounted.
ARG CERTBOT_IMAGE=docker.io/certbot/certbot:v4.0.0

FROM ${CERTBOT_IMAGE}

# Asks the runtimes whose a name is.
COPY caisson-runtime /bin/caisson-runtime

# A new volume takes its owner from here.
COPY --chown=10001:10001 state /data
LABEL org.opencontainers.image.title="Caisson certificates" org.opencontainers.image.version="0.1.0"
USER 10001:10001
HEALTHCHECK --interval=60s --timeout=2s --start-period=10s --retries=3 CMD ["/bin/sh", "/etc/caisson/certificates.sh", "health"]
ENTRYPOINT ["/bin/sh", "/etc/caisson/certificates.sh"]
CMD ["run"]
