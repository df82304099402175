# Two stages: the compiler stays behind.  What is copied is in .dockerignore's hands: a build/ from outside would be used.
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY .ci/deps .ci/deps
RUN sh .ci/deps build
COPY . .
RUN make -j"$(nproc)" && strip build/steward

FROM debian:bookworm-slim
RUN apt-get update -q \
 && apt-get install -y -q --no-install-recommends ca-certificates tzdata libh2o-evloop0.13 libcurl4 libpq5 libjson-c5 \
      libssl3 libsqlite3-0 libicu72 libical3 libstemmer0d libwslay1 libxxhash0 libopenblas0-serial \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --user-group --create-home --home-dir /var/lib/steward --shell /usr/sbin/nologin --no-log-init steward
COPY --from=build /src/build/steward /usr/local/bin/steward
USER steward
WORKDIR /var/lib/steward
VOLUME /var/lib/steward
ENV PORT=8080
EXPOSE 8080
# Ready in well under a second; the command asks GET /health of the port above.
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s --retries=3 CMD ["/usr/local/bin/steward", "health"]
# On SIGTERM it is done within 8 seconds, before `docker stop` loses its patience at 10.
CMD ["/usr/local/bin/steward"]
