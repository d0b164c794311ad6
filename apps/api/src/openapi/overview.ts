import type { Scope } from '@accepted/shared/ledger/tenants/api-keys';

/** What each scope lets a key do. */
const SCOPE_TEXTS: Record<Scope, string> = {
  'jobs:write': 'submit and cancel jobs',
  'jobs:read': 'read jobs and job types, and what its tenant has in the queues',
  'dead-letters': 'read dead letters with their stacks, replay and discard them',
  webhooks: 'manage webhooks',
  admin: 'manage the API keys of its tenant, and read its audit log',
  metrics: 'read the metrics of all tenants',
  operator:
    'see the queues and the audit log over all tenants, manage tenants and their keys, pause and limit queues, job types and tenants',
};

export const SECURITY_SCHEMES = {
  apiKey: {
    type: 'http' as const,
    scheme: 'bearer',
    description: [
      'An API key, `acc_…`. What it may do is in its scopes, and every operation names the one that it needs:',
      ...Object.entries(SCOPE_TEXTS).map(([scope, text]) => `- \`${scope}\`: ${text}`),
    ].join('\n'),
  },
};

export const TAGS = [
  { name: 'jobs', description: 'Submit jobs and follow them to their result.' },
  { name: 'dead-letters', description: 'Jobs that failed for good: look into them, replay or discard them.' },
  { name: 'catalog', description: 'What can run, and how busy the queues are.' },
  { name: 'tenants', description: 'Who shares the installation; scope `operator`.' },
  { name: 'api-keys', description: 'Keys of your tenant; with the scope `operator` those of any.' },
  {
    name: 'audit-log',
    description: 'Who did what; in your tenant, or with the scope `operator` everywhere.',
  },
  { name: 'operations', description: 'For load balancers, people and generators of clients.' },
  { name: 'webhooks', description: 'What the platform sends to you.' },
];
