# syntax=docker/dockerfile:1.25.0
# Two images: `--target cpu` and `--target gpu` (CUDA 12, linux/amd64). docs/deploy.md says how to build, check and pin
# them by digest.

ARG NODE_IMAGE=node:24.21.0-bookworm-slim
ARG CUDA_IMAGE=nvidia/cuda:12.9.1-cudnn-runtime-ubuntu24.04

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Install scripts stay off: one of them downloads CUDA libraries, and none is needed.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY . .
RUN npm run --silent build

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts
# ONNX Runtime's package carries the libraries of every platform; only this one's stay.
WORKDIR /app/node_modules/onnxruntime-node/bin/napi-v6
RUN platform="linux/$(node -p process.arch)" \
    && find . -mindepth 2 -maxdepth 2 -type d ! -path "./$platform" -exec rm -rf {} + \
    && test -s "$platform/onnxruntime_binding.node"

FROM dependencies AS cuda-dependencies
WORKDIR /app
# The script fails if a download fails. TensorRT's own libraries are not in the base image, so its provider goes.
RUN ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install \
    && rm node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_tensorrt.so \
    && test -s node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so

FROM ${CUDA_IMAGE} AS gpu
# `*`: the distribution's own revision of that release.
RUN apt-get update \
    && apt-get install -y --no-install-recommends tini=0.19.0* \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 millrace \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin millrace
COPY --from=build /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY --from=cuda-dependencies /app/node_modules node_modules
COPY --from=build /app/package.json package.json
COPY --from=build /app/assets assets
COPY --from=build /app/models models
COPY --from=build /app/dist dist
# A provider that does not fit the base image fails here and not on the first GPU. libcuda.so.1 comes with the driver.
RUN ldd node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so > /tmp/libraries \
    && awk '/not found/ && !/libcuda\.so\.1/ { print; missing = 1 } END { exit missing }' /tmp/libraries \
    && rm /tmp/libraries \
    && node dist/src/cli/main.js --version
ENV NODE_ENV=production \
    HOME=/tmp \
    MILLRACE_PROVIDER=cuda
LABEL org.opencontainers.image.title="Millrace (GPU)" \
      org.opencontainers.image.description="Runs R-CNN-family ONNX models over image datasets" \
      org.opencontainers.image.licenses="MIT"
USER 10001:10001
EXPOSE 3000 9464
# For `worker` and `coordinator`; the board answers on its own port, so its service sets its own check.
HEALTHCHECK --interval=15s --timeout=5s --start-period=300s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.MILLRACE_HTTP_PORT || 9464) + '/livez').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# tini passes SIGTERM on and reaps child processes.
ENTRYPOINT ["/usr/bin/tini", "--", "node", "/app/dist/src/cli/main.js"]
CMD ["--help"]

FROM ${NODE_IMAGE} AS cpu
# `*`: the distribution's own revision of that release.
RUN apt-get update \
    && apt-get install -y --no-install-recommends tini=0.19.0* \
    && rm -rf /var/lib/apt/lists/* \
        /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
        /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* \
    && groupadd --gid 10001 millrace \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin millrace
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/package.json package.json
COPY --from=build /app/assets assets
COPY --from=build /app/models models
COPY --from=build /app/dist dist
RUN node dist/src/cli/main.js --version
ENV NODE_ENV=production \
    HOME=/tmp \
    MILLRACE_PROVIDER=cpu
LABEL org.opencontainers.image.title="Millrace (CPU)" \
      org.opencontainers.image.description="Runs R-CNN-family ONNX models over image datasets" \
      org.opencontainers.image.licenses="MIT"
USER 10001:10001
EXPOSE 3000 9464
# For `worker` and `coordinator`; the board answers on its own port, so its service sets its own check.
HEALTHCHECK --interval=15s --timeout=5s --start-period=300s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.MILLRACE_HTTP_PORT || 9464) + '/livez').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# tini passes SIGTERM on and reaps child processes.
ENTRYPOINT ["/usr/bin/tini", "--", "node", "/app/dist/src/cli/main.js"]
CMD ["--help"]
