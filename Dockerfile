# syntax=docker/dockerfile:1
# The standalone app: docs/production/containers.md.

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN node node_modules/@nestjs/cli/bin/nest.js build

FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY scripts/image-packages.mjs scripts/shrink-install.mjs scripts/
# Optional packages, by name: providers of models, and what traces and metrics need. Their versions are those that were tested.
ARG WITH="@langchain/openai @langchain/anthropic"
RUN node scripts/image-packages.mjs ${WITH} \
  && npm install --omit=dev --omit=optional --omit=peer --ignore-scripts \
  && node scripts/shrink-install.mjs node_modules

# No shell, no package manager, and a user that owns nothing.
FROM gcr.io/distroless/nodejs24-debian13:nonroot
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/web web
COPY package.json LICENSE NOTICES.md ./
COPY scripts/healthcheck.mjs scripts/
USER 65532:65532
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["/nodejs/bin/node", "scripts/healthcheck.mjs"]
# As PID 1, node gets the signals itself. Runs are handed over on SIGTERM: allow for DRAIN_SECONDS and 5 seconds before SIGKILL.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/nodejs/bin/node"]
CMD ["dist/main.js"]
