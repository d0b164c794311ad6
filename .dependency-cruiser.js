/**
 * Says which room may import which (docs: the rooms of the design), each rule with its reason.
 *
 * @type {import('dependency-cruiser').IConfiguration}
 */
export default {
  forbidden: [
    {
      name: 'pure-core',
      comment:
        'The rules of a job and of a webhook are tested without a database: they import nothing of ours.',
      severity: 'error',
      from: { path: '^packages/shared/src/core/', pathNot: '\\.test\\.ts$' },
      to: {
        path: '^(apps|packages|migrations|examples|faults|attacks|fuzz|bench|tests)/',
        pathNot: '^packages/shared/src/core/',
      },
    },
    {
      name: 'pure-core-without-io',
      comment:
        'What decides must not wait for the outside: files, sockets and processes belong in the other rooms.',
      severity: 'error',
      from: { path: '^packages/shared/src/core/', pathNot: '\\.test\\.ts$' },
      to: {
        path: '^(node:)?(fs|net|tls|http|https|http2|dns|dgram|child_process|worker_threads|timers)(/|$)',
      },
    },
    {
      name: 'shared-knows-no-app',
      comment: 'A package that imports an app cannot be used by the others.',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^apps/' },
    },
    {
      name: 'apps-apart',
      comment: 'Apps are deployed apart; what two of them need is a package.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'ledger-on-core',
      comment:
        'The ledger is under everything, and knows the rules alone: not settings, not HTTP errors, not the engine. What a webhook tells of a job is the view of it.',
      severity: 'error',
      from: { path: '^packages/shared/src/ledger/', pathNot: '\\.test\\.ts$' },
      to: {
        path: '^packages/shared/src/',
        pathNot: '^packages/shared/src/(core/|ledger/|contract/job-view\\.ts$)',
      },
    },
    {
      name: 'engine-without-ledger',
      comment: 'The engine knows no job but its id. On Postgres it connects as the ledger does.',
      severity: 'error',
      from: { path: '^packages/shared/src/engine/', pathNot: '\\.test\\.ts$' },
      to: {
        path: '^packages/shared/src/',
        pathNot: '^packages/shared/src/(core|engine|ledger/connection)/',
      },
    },
    {
      name: 'engine-by-its-port',
      comment:
        'What is behind the port hands out queues and workers of BullMQ. Bull Board is made of those, and tests look at them.',
      severity: 'error',
      from: {
        pathNot:
          '^(packages/shared/src/engine/|packages/testing/|apps/api/src/admin/|tests/)|^(apps|packages)/[^/]+/test/|\\.test\\.ts$',
      },
      to: {
        path: '^packages/shared/src/engine/(open-store|bullmq-store|create-engine|delivery|shelf)\\.ts$',
      },
    },
    {
      name: 'path-below-services',
      comment:
        'The way of a job goes down: what runs beside it knows the path, and the path nothing of that.',
      severity: 'error',
      from: { path: '^apps/worker/src/path/', pathNot: '\\.test\\.ts$' },
      to: { path: '^apps/worker/src/services/' },
    },
    {
      name: 'contract-without-storage',
      comment:
        'What clients see is made from rows, and is told from any room: it knows their types and how none of them is read.',
      severity: 'error',
      from: { path: '^packages/shared/src/contract/', pathNot: '\\.test\\.ts$' },
      to: {
        path: '^packages/shared/src/',
        pathNot: '^packages/shared/src/(core|contract)/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'runtime-of-any-program',
      comment: 'Settings, logs and batches are those of every program: they know no table and no queue.',
      severity: 'error',
      from: { path: '^packages/shared/src/runtime/', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/shared/src/', pathNot: '^packages/shared/src/(core|runtime)/' },
    },
    {
      name: 'fastify-in-api',
      comment:
        'Only the API speaks HTTP to clients: domain code that sees fastify cannot be called from a worker. The control of the fault suite is bare BullMQ, on purpose, as are contenders of the benchmark.',
      severity: 'error',
      from: { pathNot: '^(apps/api/|faults/src/control/|bench/src/contenders/)' },
      to: { path: 'node_modules/(@?fastify|@bull-board)(/|-)' },
    },
    {
      name: 'bullmq-behind-the-port',
      comment:
        'The engine is a choice behind one port that speaks of queues and lanes. Bull Board shows the queues of BullMQ itself. The control of the fault suite is bare BullMQ, on purpose, as are contenders of the benchmark.',
      severity: 'error',
      from: {
        pathNot:
          '^(packages/shared/src/engine/|apps/worker/test/|apps/api/src/admin/|faults/src/control/|bench/src/contenders/)',
      },
      to: { path: 'node_modules/bullmq/' },
    },
    {
      name: 'sql-in-ledger',
      comment:
        'All SQL lives in one room, where what it locks and guarantees can be reviewed together. The fault suite and the benchmark look at the tables from outside, and the contenders of the benchmark have their own.',
      severity: 'error',
      from: {
        pathNot:
          '^(packages/shared/src/(ledger|engine)/|packages/testing/|migrations/|examples/|faults/|attacks/|fuzz/|bench/|tests/)|^(apps|packages)/[^/]+/test/|\\.test\\.ts$',
      },
      to: { path: 'node_modules/(kysely|pg)/' },
    },
    {
      name: 'no-testing-in-production',
      comment: 'What tests need must not be able to reach a running system.',
      severity: 'error',
      from: {
        pathNot:
          '^(packages/testing/|faults/|attacks/|fuzz/|bench/|tests/|scripts/|vitest\\.config\\.ts)|^(apps|packages)/[^/]+/test/|\\.test\\.ts$',
      },
      to: {
        path: '^(packages/testing|faults|attacks|fuzz|bench|tests)/|node_modules/(vitest|fast-check|playwright-core)/',
      },
    },
    {
      name: 'migrations-alone',
      comment:
        'A migration has to do next year what it does today, so it uses nothing of ours that may change.',
      severity: 'error',
      from: { path: '^migrations/' },
      to: { path: '^(apps|packages|examples|faults|attacks|fuzz|bench)/' },
    },
    {
      name: 'handlers-import-job-only',
      comment: 'The examples show what a handler needs: it must work in a folder outside the workspace.',
      severity: 'error',
      from: { path: '^examples/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(apps|packages|migrations)/', pathNot: '^packages/job/' },
    },
    {
      name: 'no-circles',
      comment: 'Modules that import each other have no order to be read in.',
      severity: 'error',
      from: {},
      // Types are gone when the program runs.
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'resolvable',
      comment: 'An import that leads nowhere is a path or a dependency that was forgotten.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    parser: 'tsc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
