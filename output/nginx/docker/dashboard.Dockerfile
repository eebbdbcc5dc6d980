# The dashboard: the same static binary, in its other role. It keeps nothing.

FROM scratch AS program
COPY caisson-runtime /bin/caisson-runtime

# The build fails here when the binary cannot run without anything around it.
RUN ["/bin/caisson-runtime", "version"]

FROM scratch
COPY --from=program /bin/caisson-runtime /bin/caisson-runtime
LABEL org.opencontainers.image.title="Caisson dashboard" org.opencontainers.image.version="0.1.0"
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=2s --timeout=2s --start-period=10s --retries=3 CMD ["/bin/caisson-runtime", "health", "--url", "http://127.0.0.1:8080/readyz"]
ENTRYPOINT ["/bin/caisson-runtime"]
CMD ["dashboard", "--config", "/etc/caisson/dashboard.json"]
