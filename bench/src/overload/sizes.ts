export type OverloadSizeName = 'small' | 'standard';

/** How long each part goes on; all times in seconds. */
export interface OverloadSize {
  bottleneck: {
    /** What is offered, in times of what can be done. */
    times: readonly number[];
    seconds: number;
    capacitySeconds: number;
    /** For so long it is looked whether times are normal again. */
    recoverySeconds: number;
    tenants: number;
  };
  retries: { burstSeconds: number; returnSeconds: number };
  priorities: { overSeconds: number; underSeconds: number };
  hog: { seconds: number };
  deadlines: { seconds: number };
  slowDependency: { beforeSeconds: number; slowSeconds: number };
  failingReceiver: { beforeSeconds: number; failingSeconds: number; afterSeconds: number };
  predictions: { steadySeconds: number; changingSeconds: number };
}

export const SIZES: Readonly<Record<OverloadSizeName, OverloadSize>> = {
  small: {
    bottleneck: { times: [0.5, 4], seconds: 3, capacitySeconds: 4, recoverySeconds: 5, tenants: 5 },
    retries: { burstSeconds: 2, returnSeconds: 15 },
    priorities: { overSeconds: 5, underSeconds: 3 },
    hog: { seconds: 4 },
    deadlines: { seconds: 5 },
    slowDependency: { beforeSeconds: 4, slowSeconds: 6 },
    failingReceiver: { beforeSeconds: 5, failingSeconds: 20, afterSeconds: 5 },
    predictions: { steadySeconds: 8, changingSeconds: 10 },
  },
  standard: {
    bottleneck: {
      times: [0.5, 1, 2, 4, 8],
      ...{ seconds: 10, capacitySeconds: 8, recoverySeconds: 12, tenants: 20 },
    },
    retries: { burstSeconds: 5, returnSeconds: 60 },
    priorities: { overSeconds: 30, underSeconds: 15 },
    hog: { seconds: 15 },
    deadlines: { seconds: 20 },
    slowDependency: { beforeSeconds: 15, slowSeconds: 60 },
    failingReceiver: { beforeSeconds: 20, failingSeconds: 300, afterSeconds: 20 },
    predictions: { steadySeconds: 30, changingSeconds: 40 },
  },
};
