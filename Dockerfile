# There is no build step: Node runs the TypeScript sources as they are.
# Targets: `accepted` has the platform only, `examples` adds the handlers of examples/. Each has its SBOM in /app/sbom.cdx.json.

FROM node:24.21.0-bookworm-slim AS manifests
WORKDIR /app
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY scripts/pnpm scripts/pnpm
COPY apps/api/package.json apps/api/
COPY apps/migrate/package.json apps/migrate/
COPY apps/worker/package.json apps/worker/
COPY examples/package.json examples/
COPY migrations/package.json migrations/
COPY packages/job/package.json packages/job/
COPY packages/shared/package.json packages/shared/

FROM manifests AS dependencies
# pnpm is taken only as scripts/pnpm/package-lock.json pins it, and does not stay.
RUN node scripts/pnpm/main.mjs install --prod --frozen-lockfile \
    --filter "@accepted/api..." --filter "@accepted/worker..." --filter "@accepted/migrate..." \
    --filter "@accepted/migrations..." \
    && npm run --silent sbom -- --out sbom.cdx.json \
    && rm -rf node_modules/.cache

FROM dependencies AS example-dependencies
RUN node scripts/pnpm/main.mjs install --prod --frozen-lockfile \
    --filter "@accepted/api..." --filter "@accepted/worker..." --filter "@accepted/migrate..." \
    --filter "@accepted/migrations..." --filter "@accepted/examples..." \
    && npm run --silent sbom -- --filter @accepted/examples --out sbom.cdx.json \
    && rm -rf node_modules/.cache

FROM node:24.21.0-bookworm-slim AS accepted
# What cannot install packages cannot be made to.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-v*
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app ./
COPY packages/job/src packages/job/src
COPY packages/job/handlers.tsconfig.json packages/job/
COPY packages/shared/src packages/shared/src
COPY migrations migrations
COPY apps/migrate/src apps/migrate/src
COPY apps/api/src apps/api/src
COPY apps/worker/src apps/worker/src
USER node
CMD ["node", "apps/api/src/main.ts"]

FROM accepted AS examples
COPY --from=example-dependencies /app ./
COPY examples examples
