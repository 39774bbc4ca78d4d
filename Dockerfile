# A run as a service, for one unprivileged user: no TensorFlow, no Keras, nothing written.
#   docker build -t kerasfaces-serve .
#   docker run --read-only --tmpfs /tmp --cap-drop ALL -p 127.0.0.1:8000:8000 \
#       -v "$PWD/RUN:/model:ro" kerasfaces-serve
# RUN needs its export: kerasfaces export RUN --format onnx. See docs/how-to/serve.md.
FROM python:3.13-slim AS build
WORKDIR /source
COPY requirements/serve.txt constraints.txt ./
RUN python -m venv /opt/kerasfaces \
    && /opt/kerasfaces/bin/pip install --no-cache-dir -c constraints.txt -r serve.txt
COPY pyproject.toml setup.cfg README.md LICENSE ./
COPY tuning ./tuning
COPY kerasfaces ./kerasfaces
RUN /opt/kerasfaces/bin/pip install --no-cache-dir --no-deps .

FROM python:3.13-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin service
COPY --from=build /opt/kerasfaces /opt/kerasfaces
# MALLOC_ARENA_MAX: threads that decode leave less behind. /tmp: the one place to write.
ENV PATH=/opt/kerasfaces/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2 \
    KERASFACES_CACHE=/tmp/kerasfaces
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["kerasfaces", "serve", "/model", "--host", "0.0.0.0", "--port", "8000"]
