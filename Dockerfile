# Magpie on a CPU, as an ordinary user, with its data on a volume.
#   docker build -t magpie . && docker run --env-file .env -v magpie:/data magpie
# For a build of torch other than the one your package index gives by default, pass
# pip's own settings: docker build --build-arg PIP_EXTRA_INDEX_URL=… .
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends python3 python3-venv
ARG PIP_EXTRA_INDEX_URL=
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /magpie
COPY pyproject.toml constraints.txt README.md LICENSE NOTICES.md magpie.py ./
COPY bot bot
COPY index index
RUN python3 -m venv /opt/magpie
RUN /opt/magpie/bin/pip install --constraint constraints.txt .

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libseccomp2 python3 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/magpie /opt/magpie
RUN useradd --create-home --uid 10001 magpie && mkdir -p /data && chown magpie /data
USER magpie
WORKDIR /data
ENV MAGPIE_DB=/data/magpie.db \
    MAGPIE_HTTP=0.0.0.0:8080 \
    HF_HOME=/data/huggingface \
    PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8080
# Loading the model, the first time downloading it, takes a while: hence the start period.
HEALTHCHECK --interval=30s --timeout=5s --start-period=5m --retries=3 \
    CMD ["/opt/magpie/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["/opt/magpie/bin/python", "-m", "bot"]
