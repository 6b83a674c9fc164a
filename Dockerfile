# syntax=docker/dockerfile:1

# Build: everything by hash, into one virtual environment.
FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements-setup.lock requirements-dev.lock requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements-setup.lock \
 && python -m venv --without-pip /opt/livebot \
 && uv pip install --no-cache --python /opt/livebot/bin/python --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY livebot livebot
# The development lock pins what builds the wheel.
RUN uv build --no-cache --wheel --build-constraints requirements-dev.lock --require-hashes -o /wheel \
 && uv pip install --no-cache --python /opt/livebot/bin/python --no-deps /wheel/*.whl

# Run: Python, that environment, nothing else; no root.
FROM python:3.11-slim AS run
COPY --from=build /opt/livebot /opt/livebot
# A volume that is mounted there takes its owner from here.
RUN install -d -o 10001 -g 10001 /data
ENV PATH=/opt/livebot/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8080
USER 10001:10001
WORKDIR /tmp
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=2)"]
ENTRYPOINT ["livebot"]
CMD ["serve"]

# As an app of Nextcloud (deploy/exapp): `docker build --target exapp .`
FROM fatedier/frpc:v0.61.1 AS frpc

FROM run AS exapp
COPY --from=frpc /usr/bin/frpc /usr/local/bin/frpc
COPY --chmod=755 deploy/exapp/start.sh deploy/exapp/healthcheck.py /opt/exapp/
USER 0:0
# AppAPI mounts a volume over the one, which takes its owner from here, and HaRP writes its
# certificates into the other as the image's user.
RUN install -d -o 10001 -g 10001 /nc_app_live_transcription_data /certs
USER 10001:10001
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "/opt/exapp/healthcheck.py"]
ENTRYPOINT ["/opt/exapp/start.sh"]
CMD ["livebot", "serve"]

# What `docker build .` makes.
FROM run AS livebot
