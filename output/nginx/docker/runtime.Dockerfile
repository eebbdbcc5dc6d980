# The runtime: one static binary and the directory that its volume starts from.

FROM scratch AS program
COPY caisson-runtime /bin/caisson-runtime

# The build fails here when the binary cannot run without anything around it.
RUN ["/bin/caisson-runtime", "version"]

FROM scratch
COPY --from=program /bin/caisson-runtime /bin/caisson-runtime

# A new volume takes its owner from here.
COPY --chown=10001:10001 state /var/lib/caisson
LABEL org.opencontainers.image.title="Caisson runtime" org.opencontainers.image.version="0.1.0"
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=2s --timeout=2s --start-period=10s --retries=3 CMD ["/bin/caisson-runtime", "health", "--config", "/etc/caisson/runtime.json"]
ENTRYPOINT ["/bin/caisson-runtime"]
CMD ["serve", "--config", "/etc/caisson/runtime.json"]
