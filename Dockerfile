# Magpie as an ordinary user, with its data on a volume.
#   docker build -t magpie . && docker run --env-file .env -v magpie:/data magpie
# It computes on the CPU. For a GPU from NVIDIA, which takes several gigabytes more:
#   docker build --build-arg TORCH=cuda -t magpie . && docker run --gpus all …
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends python3 python3-venv
# The build of torch: cpu or cuda. On amd64, package indexes give the CUDA build; PyTorch itself
# publishes the CPU build apart, at TORCH_CPU.
ARG TORCH=cpu
ARG TORCH_CPU=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /magpie
RUN python3 -m venv /opt/magpie
COPY constraints.txt ./
# Only torch comes from there; what it needs comes with the rest. An installed torch is kept.
RUN case "$TORCH" in \
        cpu) /opt/magpie/bin/pip install --index-url "$TORCH_CPU" --no-deps --constraint constraints.txt torch ;; \
        cuda) ;; \
        *) echo "TORCH must be cpu or cuda, not $TORCH" >&2; exit 2 ;; \
    esac
COPY pyproject.toml README.md LICENSE NOTICES.md magpie.py ./
COPY bot bot
COPY index index
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
# Asks where MAGPIE_HTTP says. A bot that loads or downloads its model says so, and counts as well;
# the start period is for the time until it is connected.
HEALTHCHECK --interval=30s --timeout=15s --start-period=2m --retries=3 \
    CMD ["/opt/magpie/bin/python", "-m", "bot", "--health"]
ENTRYPOINT ["/opt/magpie/bin/python", "-m", "bot"]
