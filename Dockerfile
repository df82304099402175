# Two stages: the compiler stays behind.
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
 && useradd --system --create-home --home-dir /var/lib/steward steward
COPY --from=build /src/build/steward /usr/local/bin/steward
USER steward
WORKDIR /var/lib/steward
ENV PORT=8080
EXPOSE 8080
CMD ["/usr/local/bin/steward"]
