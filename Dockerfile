# syntax=docker/dockerfile:1
# The box in a container. docs/operations.md says how to run it; `make image` builds it, `make test-image` tests it.

FROM docker.io/library/debian:bookworm-slim AS build
WORKDIR /src
COPY scripts/packages scripts/
RUN scripts/packages build fetch && apt-get install -y -qq --no-install-recommends ccache
COPY . .
# What was downloaded and compiled before is kept between builds where the builder offers that.
RUN --mount=type=cache,target=/var/cache/boathouse --mount=type=cache,target=/var/cache/ccache \
    CCACHE_DIR=/var/cache/ccache CCACHE_COMPILERCHECK=content make install PREFIX=/usr DESTDIR=/stage \
 && strip --strip-unneeded /stage/usr/bin/boathouse /stage/usr/libexec/boathouse/boathouse-engine \
 && rm /stage/usr/lib/boathouse/extensions/*/*/tpch.duckdb_extension

FROM docker.io/library/debian:bookworm-slim
LABEL org.opencontainers.image.title="Boathouse" \
      org.opencontainers.image.description="A lakehouse in a box: a DuckLake catalog, and a door for every client" \
      org.opencontainers.image.licenses="Apache-2.0"

# PostgreSQL as Debian builds it, without a cluster of its own, and without what a catalog does not use: just-in-time
# compilation (LLVM, Z3), documentation, translations, and, once everything is set up, Perl for Debian's pg_* wrappers.
RUN mkdir -p /etc/postgresql-common/createcluster.d \
 && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/none.conf \
 && printf 'path-exclude=%s\n' '/usr/lib/*/libLLVM*' '/usr/lib/*/libz3*' '/usr/lib/postgresql/*/lib/bitcode/*' \
        '/usr/lib/postgresql/*/lib/llvmjit*' '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/locale/*' \
        '/usr/share/i18n/locales/*' '/usr/share/i18n/charmaps/*' >/etc/dpkg/dpkg.cfg.d/boathouse \
 && apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        postgresql-15 libpq5 libcurl4 libboost-json1.81.0 libboost-url1.81.0 libspdlog1.10 libtomlplusplus3 libpg-query1504.0 \
        libacl1 libcctz2 acl tzdata ca-certificates \
 && rm -rf /usr/share/perl /usr/lib/*-linux-gnu/perl \
        /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/* \
 && useradd --system --uid 970 --home-dir /var/lib/boathouse --shell /usr/sbin/nologin boathouse \
 && install -d -o boathouse -g boathouse -m 0755 /var/lib/boathouse
COPY --from=build /stage/ /
RUN ! ldd /usr/bin/boathouse /usr/libexec/boathouse/boathouse-engine | grep 'not found'

# A container is reached from outside, so the box listens on every address, and asks for POSTGRES_PASSWORD.
ENV BOATHOUSE_LISTEN=0.0.0.0 BOATHOUSE_DATA_DIR=/var/lib/boathouse
USER boathouse
VOLUME /var/lib/boathouse
EXPOSE 5432 5433 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=2m CMD ["boathouse", "status"]
ENTRYPOINT ["boathouse"]
CMD ["serve"]
