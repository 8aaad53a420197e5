# The image of Replistream: docker build -t replistream .
# Both are pinned: what is built next year is built on the same. The digests are those of all platforms;
# `docker buildx imagetools inspect IMAGE:TAG` prints the present one.
FROM maven:3.9.11-eclipse-temurin-25-noble@sha256:407c4423cec0cf2981055bc2c6c0dc211d9605b6669279b95997f2d1c7e91e2c AS build
WORKDIR /build
COPY . .
# --script for mutators in JavaScript: docker build --build-arg IMAGE_OPTIONS=--script -t replistream .
ARG IMAGE_OPTIONS=""
RUN etc/image $IMAGE_OPTIONS && install -d -o 65532 -g 65532 /data

# glibc and nothing else: no shell, no package manager
FROM gcr.io/distroless/base-nossl-debian12:nonroot@sha256:be40c00dfabd86576d92666e87e406714d5618342de1a0c213ad232de255172e
COPY --from=build /build/target/image /opt/replistream
COPY --from=build --chown=65532:65532 /data /data
# the operator's port is reached from outside the container, by probes and scrapers: don't publish it
ENV REPLISTREAM_DATA_DIR=/data REPLISTREAM_ADMIN_HOST=0.0.0.0 MALLOC_ARENA_MAX=2 LANG=C.UTF-8 LC_ALL=C.UTF-8
USER 65532:65532
VOLUME /data
EXPOSE 8000 8001
ENTRYPOINT ["/opt/replistream/runtime/bin/java", "@/opt/replistream/lib/jvm.options", \
  "-XX:AOTCache=/opt/replistream/lib/replistream.aot", \
  "-Dorg.sqlite.lib.path=/opt/replistream/lib/native", \
  "-cp", "/opt/replistream/lib/replistream.jar", "dev.replistream.Main"]
CMD ["serve"]
HEALTHCHECK --interval=15s --timeout=5s --start-period=5s \
  CMD ["/opt/replistream/runtime/bin/java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx8m", \
  "-XX:-UsePerfData", "-cp", "/opt/replistream/lib/replistream.jar", "dev.replistream.cli.HealthProbe"]
