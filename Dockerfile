# Magpie as an ordinary user, with its data on a volume.
#   docker build -t magpie . && docker run --env-file .env -v magpie:/data magpie
# It computes on the CPU. For a GPU, which takes several gigabytes more, name the build of torch:
#   docker build --build-arg TORCH=cu130 -t magpie . && docker run --gpus all …
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends python3 python3-venv
# cpu, cu130 and others, as uv names them: `uv pip install --help` lists them at --torch-backend.
# pip can't choose a build. On amd64 it takes the one for CUDA.
ARG TORCH=cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 UV_NO_CACHE=1
WORKDIR /magpie
COPY constraints.txt ./
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --constraint constraints.txt uv
RUN python3 -m venv /opt/magpie
COPY pyproject.toml README.md LICENSE NOTICES.md magpie.py ./
COPY bot bot
COPY console console
COPY index index
RUN /opt/uv/bin/uv pip install --python /opt/magpie/bin/python --torch-backend "$TORCH" \
    --constraint constraints.txt '.[ocr,postgres]'

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
    XDG_CACHE_HOME=/data/cache \
    PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8080
# Asks where MAGPIE_HTTP says. A bot that loads or downloads its model says so, and counts as well;
# the start period is for the time until it is connected.
HEALTHCHECK --interval=30s --timeout=15s --start-period=2m --retries=3 \
    CMD ["/opt/magpie/bin/python", "-m", "bot", "--health"]
ENTRYPOINT ["/opt/magpie/bin/python", "-m", "bot"]
